import { bucketOf, bucketValue } from '../../model/histogram.ts';
import type { TraceStep } from './trace-step.ts';

/** Buckets of `model/histogram.ts`, eight taken as one: a quarter of an octave wide. */
const COARSE_BITS = 3;
export const LATENCY_BUCKETS = 160;

export function latencyBucket(ms: number): number {
  return Math.min(LATENCY_BUCKETS - 1, bucketOf(ms) >> COARSE_BITS);
}

/** The middle of a bucket in milliseconds. */
export function latencyBucketMs(bucket: number): number {
  return bucketValue((bucket << COARSE_BITS) + (1 << (COARSE_BITS - 1)));
}

/** Counts of several steps of time added up. Keys are those of `trace-keys.ts`. */
export interface TraceWindow {
  startMs: number;
  endMs: number;
  /** Calls by visit. */
  calls: Map<number, number>;
  /** Calls that had a feature, by feature. */
  features: Map<number, number>;
  /** Time not spent in calls, by visit; and time lost between caller and callee, by edge: counts by bucket. */
  selfTimes: Map<number, Uint32Array>;
  gaps: Map<number, Uint32Array>;
}

export function createTraceWindow(startMs: number, endMs: number): TraceWindow {
  return { startMs, endMs, calls: new Map(), features: new Map(), selfTimes: new Map(), gaps: new Map() };
}

export function addCount(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

export function mergeHistogram(into: Map<number, Uint32Array>, key: number, histogram: Uint32Array): void {
  const sum = into.get(key);
  if (!sum) into.set(key, histogram.slice());
  else for (let i = 0; i < histogram.length; i++) sum[i] = (sum[i] as number) + (histogram[i] as number);
}

export function countOf(histogram: Uint32Array): number {
  let sum = 0;
  for (const count of histogram) sum += count;
  return sum;
}

/** Middle of the bucket of the median of `total` > 0 counts. */
export function medianMs(histogram: Uint32Array, total: number): number {
  let seen = 0;
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    seen += histogram[bucket] as number;
    if (2 * seen >= total) return latencyBucketMs(bucket);
  }
  return NaN;
}

/** Probability that a value of `above` is larger than one of `below`, ties half (Mann and Whitney, 1947). */
export function superiority(above: Uint32Array, below: Uint32Array): number {
  let smaller = 0;
  let sum = 0;
  let count = 0;
  for (let i = 0; i < above.length; i++) {
    const here = below[i] as number;
    const times = above[i] as number;
    sum += times * (smaller + here / 2);
    count += times;
    smaller += here;
  }
  return sum / (count * smaller);
}

/** Adds a step to a window, which then spans both. */
function addStep(into: TraceWindow, step: TraceStep): void {
  into.startMs = Math.min(into.startMs, step.startMs);
  into.endMs = Math.max(into.endMs, step.endMs);
  for (const [key, count] of step.calls) addCount(into.calls, key, count);
  for (const [key, count] of step.features) addCount(into.features, key, count);
  addLatencies(into.selfTimes, step.selfTimes);
  addLatencies(into.gaps, step.gaps);
}

function addLatencies(histograms: Map<number, Uint32Array>, cells: ReadonlyMap<number, number>): void {
  for (const [cell, count] of cells) {
    const bucket = cell % LATENCY_BUCKETS;
    const key = (cell - bucket) / LATENCY_BUCKETS;
    let histogram = histograms.get(key);
    if (!histogram) histograms.set(key, (histogram = new Uint32Array(LATENCY_BUCKETS)));
    histogram[bucket] = (histogram[bucket] as number) + count;
  }
}

export function sumSteps(steps: Iterable<TraceStep>): TraceWindow {
  const sum = createTraceWindow(Infinity, -Infinity);
  for (const step of steps) addStep(sum, step);
  return sum;
}

/** Consecutive steps added up to blocks of `blockMs`; a gap ends a block. */
export function blocksOf(steps: readonly TraceStep[], blockMs: number): TraceWindow[] {
  const blocks: TraceWindow[] = [];
  for (const step of steps) {
    const last = blocks.at(-1);
    if (last && last.endMs === step.startMs && step.endMs - last.startMs <= blockMs) addStep(last, step);
    else blocks.push(sumSteps([step]));
  }
  return blocks;
}
