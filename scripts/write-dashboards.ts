// Writes Grafana's dashboards; test/infrastructure/dashboards.test.ts fails while they differ from the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardText, dashboards } from './dashboards/dashboards.ts';

for (const [path, dashboard] of Object.entries(dashboards())) {
  writeFileSync(join(import.meta.dirname, '..', path), dashboardText(dashboard));
}
