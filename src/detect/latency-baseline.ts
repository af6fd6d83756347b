import { bucketValue, HISTOGRAM_BUCKETS } from '../model/histogram.ts';
import type { SparseHistogram } from './sub-window.ts';

/** The usual distribution of latency: a decayed histogram, half-life 12 h, with its marks refreshed once a minute. */
export interface LatencyBaseline {
  histogram: Float32Array;
  total: number;
  /** Decayed sum of latencies, ms; mean = sum / total. */
  sum: number;
  /** Buckets of the 95th, 99th and 99.9th percentile; -1 before anything was learned. */
  bucket95: number;
  bucket99: number;
  bucket999: number;
  /** Share of latencies beyond those buckets, at most 0.05, 0.01 and 0.001. */
  share95: number;
  share99: number;
  share999: number;
  /** Step at which marks were last refreshed. */
  refreshedAt: number;
}

const REFRESH_STEPS = 6;
const KEEP_PER_REFRESH = 2 ** (-1 / 720);

export function createLatencyBaseline(): LatencyBaseline {
  return {
    histogram: new Float32Array(HISTOGRAM_BUCKETS),
    total: 0,
    sum: 0,
    bucket95: -1,
    bucket99: -1,
    bucket999: -1,
    share95: 0,
    share99: 0,
    share999: 0,
    refreshedAt: -1,
  };
}

function mark(state: LatencyBaseline, q: number): { bucket: number; share: number } {
  const rank = q * state.total;
  let seen = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += state.histogram[bucket] as number;
    if (seen >= rank) return { bucket, share: Math.max(0, (state.total - seen) / state.total) };
  }
  return { bucket: HISTOGRAM_BUCKETS - 1, share: 0 };
}

function refresh(state: LatencyBaseline): void {
  const p95 = mark(state, 0.95);
  const p99 = mark(state, 0.99);
  state.bucket95 = p95.bucket;
  state.share95 = p95.share;
  state.bucket99 = p99.bucket;
  state.share99 = p99.share;
  const p999 = mark(state, 0.999);
  state.bucket999 = p999.bucket;
  state.share999 = p999.share;
}

/** Adds the latencies of one step. */
export function learnLatency(state: LatencyBaseline, step: number, sparse: SparseHistogram | null, sumMs: number): void {
  if (sparse) {
    const { buckets, counts } = sparse;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i] as number;
      const count = counts[i] as number;
      state.histogram[bucket] = (state.histogram[bucket] as number) + count;
      state.total += count;
    }
    state.sum += sumMs;
  }
  if (step - state.refreshedAt < REFRESH_STEPS || state.total === 0) return;
  state.refreshedAt = step;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) state.histogram[i] = (state.histogram[i] as number) * KEEP_PER_REFRESH;
  state.total = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) state.total += state.histogram[i] as number;
  state.sum *= KEEP_PER_REFRESH;
  refresh(state);
}

/** Usual mean, p95 and p99 in ms; NaN before anything was learned. */
export function usualLatency(state: LatencyBaseline): { mean: number; p95: number; p99: number } {
  if (state.bucket95 < 0) return { mean: NaN, p95: NaN, p99: NaN };
  return { mean: state.sum / state.total, p95: bucketValue(state.bucket95), p99: bucketValue(state.bucket99) };
}
