export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Stage = 'warming_up' | 'baseline' | 'trained';
/** What went wrong with an entity; `silence` is traffic that stopped, `multivariate` a combination with no single driver,
 * `metric` received metric series. */
export type Signal = 'error_rate' | 'latency' | 'traffic' | 'silence' | 'multivariate' | 'metric';

/**
 * How a deviation runs: `spike` up and not (yet) lasting, `drop` the same down, `shift` a new level that stays, `drift` a level
 * that keeps moving.
 */
export type Regime = 'spike' | 'drop' | 'shift' | 'drift';

/** A shift that stays, for a person to accept as what is usual from `since` on or to reject. */
export interface NewNormal {
  state: 'proposed' | 'accepted' | 'rejected';
  since: string;
  /** Id of the change of the service that came shortly before, if one did. */
  deploy: string | null;
}

/** Why an anomaly opens no incident. */
export interface Quiet {
  since: string;
  /** One sentence. */
  reason: string;
  /** Id of the feedback that it follows from (model/feedback.ts); absent when it is a habit. */
  rule?: string;
}

/** One feature's part in an anomaly; shares of one anomaly sum to at most 1. */
export interface Attribution {
  /** A window feature, or the name of a received metric series when the signal is `metric`. */
  feature: string;
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
  /** Absent in documents of versions that did not tell it. */
  regime?: Regime;
  newNormal?: NewNormal | null;
  /** It happens often and is no worse than usual: recorded, but nobody is called. */
  quiet?: Quiet | null;
}
