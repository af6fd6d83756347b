import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { costTracking } from './cost-tracking.ts';
import { mlPerformance } from './ml-performance.ts';
import { systemHealth } from './system-health.ts';

const FOLDER = 'infrastructure/grafana/dashboards';

/** Every dashboard by its path from the root of the repository. */
export function dashboards(): Record<string, Dashboard> {
  return {
    [`${FOLDER}/system-health.json`]: systemHealth().build(),
    [`${FOLDER}/ml-performance.json`]: mlPerformance().build(),
    [`${FOLDER}/cost-tracking.json`]: costTracking().build(),
  };
}

/** The text of a dashboard's file, the same for the same code. */
export function dashboardText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
