import { addCount, LATENCY_BUCKETS, latencyBucket } from './latency-histogram.ts';

/**
 * Counts of one short stretch of time. Most latencies of a stretch are few, so their cells (key and bucket in one number) stand
 * alone; sums of steps have whole histograms. Keys are those of `trace-keys.ts`. Plain data.
 */
export interface TraceStep {
  startMs: number;
  endMs: number;
  /** Calls by visit. */
  calls: Map<number, number>;
  /** Calls that had a feature, by feature. */
  features: Map<number, number>;
  /** Time not spent in calls, by visit and bucket; time lost between caller and callee, by edge and bucket. */
  selfTimes: Map<number, number>;
  gaps: Map<number, number>;
}

/** Entries of each kind; further ones are left out, first come first kept. */
export const MAX_STEP_ENTRIES = 4_000;

export function createTraceStep(startMs: number, endMs: number): TraceStep {
  return { startMs, endMs, calls: new Map(), features: new Map(), selfTimes: new Map(), gaps: new Map() };
}

/** Counts one more of a bounded number of keys. */
export function countInStep(counts: Map<number, number>, key: number): void {
  if (counts.size < MAX_STEP_ENTRIES || counts.has(key)) addCount(counts, key, 1);
}

export function addStepLatency(cells: Map<number, number>, key: number, ms: number): void {
  countInStep(cells, key * LATENCY_BUCKETS + latencyBucket(ms));
}
