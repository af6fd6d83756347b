import type { Anomaly } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';

export const MINUTE_MS = 60_000;

/** When an incident went on, in closed ranges only: what a report cites does not change with the next event. */
export interface Period {
  /** Start of the first deviating sub-window, milliseconds since the epoch. */
  onsetMs: number;
  /** End of the last closed sub-window of the incident, or of what is known of it so far; exclusive. */
  endMs: number;
  /** The stretch up to the onset that it is compared with, `[from, to)`. */
  before: { fromMs: number; toMs: number; stepMs: number };
  ongoing: boolean;
}

export function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}

function endOf(incident: Incident, anomalies: Anomaly[]): number {
  if (incident.resolvedAt !== null) {
    // An incident is closed a while after its anomalies ended, to be sure; a person may close it earlier.
    const ends = anomalies.map((anomaly) => anomaly.resolvedAt);
    const ended = ends.length > 0 && ends.every((at) => at !== null);
    return ended ? Math.max(...ends.map((at) => Date.parse(at))) : Date.parse(incident.resolvedAt);
  }
  const scored = Math.max(Date.parse(incident.detectedAt), ...anomalies.map((anomaly) => Date.parse(anomaly.window.to)));
  // A person's acknowledgement carries wall time, which may lie in a sub-window that is still open.
  const updated = Date.parse(incident.updatedAt) - (incident.status === 'open' ? 0 : SUB_WINDOW_MS);
  return Math.max(scored, updated);
}

/** `knownMs`: up to when it is known how an incident that goes on went on, when that is later than its last news. */
export function periodOf(incident: Incident, anomalies: Anomaly[], lookbackMs: number, knownMs = -Infinity): Period {
  const starts = [incident.startedAt, ...anomalies.map((anomaly) => anomaly.startedAt)].map((at) => Date.parse(at));
  const onsetMs = floorTo(Math.min(...starts), SUB_WINDOW_MS);
  const ongoing = incident.status !== 'resolved';
  const lastMs = Math.max(endOf(incident, anomalies), ongoing ? knownMs : -Infinity);
  const endMs = Math.max(onsetMs + SUB_WINDOW_MS, floorTo(lastMs, SUB_WINDOW_MS));
  const stepMs = Math.max(SUB_WINDOW_MS, floorTo(lookbackMs, SUB_WINDOW_MS));
  return { onsetMs, endMs, before: { fromMs: onsetMs - stepMs, toMs: onsetMs, stepMs }, ongoing };
}
