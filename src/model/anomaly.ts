import type { Feature } from './rollup.ts';

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Stage = 'warming_up' | 'baseline' | 'trained';
/** What went wrong with an entity; `silence` is traffic that stopped, `forest` a combination with no single driver. */
export type Signal = 'error_rate' | 'latency' | 'traffic' | 'silence' | 'multivariate';

/** One feature's part in an anomaly; shares of one anomaly sum to at most 1. */
export interface Attribution {
  feature: Feature;
  direction: 'up' | 'down';
  expected: number;
  /** Expected band. */
  low: number;
  high: number;
  observed: number;
  /** 0..1; the part of the deviation that this feature carries. */
  share: number;
}

/** One fault of one entity and signal: fires, updates, resolves under one deterministic id. Times are ISO 8601. */
export interface Anomaly {
  id: string;
  service: string;
  signal: Signal;
  state: 'firing' | 'resolved';
  /** Start of the first window that deviated. */
  startedAt: string;
  /** Event time at which the firing rule was met. */
  detectedAt: string;
  resolvedAt: string | null;
  stage: Stage;
  severity: Severity;
  /** 0..1, higher is worse. */
  score: number;
  /** Isolation forest, scikit-learn's `score_samples` convention: -1..0, lower is worse; null before it is trained. */
  rawScore: number | null;
  /** Largest share first; empty means no single driver. */
  attribution: Attribution[];
  /** The window that the attribution speaks of, `[from, to)`; its API query reproduces the observed values. */
  window: { from: string; to: string };
  /** The window that `expected` was taken from, and its width, for the report's "compared with what". */
  baseline: { from: string; to: string; description: string };
  incidentId: string | null;
}
