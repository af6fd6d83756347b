/** What is kept of one entity's events in one bucket of time: mergeable, and enough for every window feature. */
export interface Rollup {
  entity: string;
  /** Start of the bucket, milliseconds since the epoch, a multiple of the bucket's width. */
  startMs: number;
  count: number;
  errorCount: number;
  latencyCount: number;
  /** Milliseconds. */
  latencySum: number;
  /** Square milliseconds. */
  latencySquareSum: number;
  /** Dense histogram counts, `HISTOGRAM_BUCKETS` long (model/histogram.ts). */
  histogram: Uint32Array;
  /** Names of the endpoints seen, capped at `MAX_ROLLUP_ENDPOINTS`. */
  endpoints: Set<string>;
}

export const MAX_ROLLUP_ENDPOINTS = 1024;

/** Width of the finest bucket, the detector's sub-window, milliseconds. */
export const SUB_WINDOW_MS = 10_000;

/** Window features by the names used in configuration, API, metrics and reports. */
export const FEATURES = [
  'event_count',
  'error_rate',
  'avg_latency',
  'p95_latency',
  'p99_latency',
  'latency_stddev',
  'unique_endpoints',
  'event_velocity',
] as const;
export type Feature = (typeof FEATURES)[number];

export function isFeature(name: string): name is Feature {
  return (FEATURES as readonly string[]).includes(name);
}

/** Unit of a window feature; "" for the name of anything else. */
export function unitOf(name: string): string {
  return isFeature(name) ? FEATURE_UNITS[name] : '';
}

export const FEATURE_UNITS: Record<Feature, string> = {
  event_count: 'events',
  error_rate: 'ratio',
  avg_latency: 'ms',
  p95_latency: 'ms',
  p99_latency: 'ms',
  latency_stddev: 'ms',
  unique_endpoints: 'endpoints',
  event_velocity: 'events/s',
};
