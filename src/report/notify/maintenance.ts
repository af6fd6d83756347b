import type { LabelPatterns } from '../../model/incident-labels.ts';
import type { MaintenanceConfig } from './config.ts';
import { minuteOfDay, occurrenceAt } from './weekly-window.ts';

/** What is in maintenance at `nowMs`. */
export function maintainedLabels(windows: readonly MaintenanceConfig[], nowMs: number): LabelPatterns[] {
  return windows
    .filter(({ days, at, duration, zone }) =>
      occurrenceAt({ days, minute: minuteOfDay(at), zone, end: { afterMs: duration } }, nowMs),
    )
    .map(({ match }) => match);
}
