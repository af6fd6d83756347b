import type { Severity, Signal } from './anomaly.ts';

/** A value of a configuration key, durations as the file spells them. */
export type OverrideValue = string | number | boolean | (string | number)[];

/** An anomaly that one of the two configurations found. Times are ISO 8601. */
export interface SimulatedAlert {
  id: string;
  service: string;
  signal: Signal;
  severity: Severity;
  startedAt: string;
  detectedAt: string;
  /** Null while it was firing at the end of the simulation. */
  resolvedAt: string | null;
  /** Recorded, but it would have called nobody. */
  quiet: boolean;
  incidentId: string | null;
}

export interface SimulatedIncident {
  id: string;
  severity: Severity;
  title: string;
  services: string[];
  startedAt: string;
  detectedAt: string;
  resolvedAt: string | null;
  mergedInto: string | null;
}

/** What one configuration would have said. Counts are exact; lists hold the first ones in order of detection. */
export interface SimulationSide {
  /** Alerts that are not quiet, and those that are. */
  alertCount: number;
  quietCount: number;
  /** Incidents that were not merged into another. */
  incidentCount: number;
  /** Null without a service-day. */
  alertsPerServiceDay: number | null;
  alerts: SimulatedAlert[];
  incidents: SimulatedIncident[];
}

/** Alerts are the same when service and signal are and their times overlap; quiet ones are left out. */
export interface SimulationDifference {
  /** Alerts of the present configuration that the other one finds too; how many of them sooner and later than at present. */
  both: number;
  sooner: number;
  later: number;
  onlyPresentCount: number;
  onlyOverriddenCount: number;
  onlyPresent: SimulatedAlert[];
  onlyOverridden: SimulatedAlert[];
}

export interface SimulationResult {
  /** Time of the oldest event or point that could be read, null when there was none. */
  historyFrom: string | null;
  /** Retention had removed what came before `historyFrom`: baselines begin later than they did live. */
  historyLost: boolean;
  /** Time watched by all services together, in days. */
  serviceDays: number;
  present: SimulationSide;
  overridden: SimulationSide;
  difference: SimulationDifference;
}

export type SimulationState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** A job as lists and the event stream show it. */
export interface SimulationStatus {
  id: string;
  state: SimulationState;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** By full key. */
  overrides: Record<string, OverrideValue>;
  /** Present values of the same keys. */
  present: Record<string, OverrideValue>;
  service: string | null;
  /** Alerts and incidents detected in [from, to) are told; null is the beginning of history. */
  from: string | null;
  to: string;
  /** Share of the history that is read, 0..1. */
  progress: number;
  error: { code: string; message: string } | null;
}

export interface Simulation extends SimulationStatus {
  /** Null until the state is `done`. */
  result: SimulationResult | null;
}
