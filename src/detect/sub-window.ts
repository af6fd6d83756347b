import { bucketOf, HISTOGRAM_BUCKETS } from '../model/histogram.ts';
import { LEVEL_ERROR } from '../model/event.ts';
import { MAX_ROLLUP_ENDPOINTS } from '../model/rollup.ts';

/** One entity's events of one 10 s step while it is open; the only thing that the hot path touches. */
export interface SubWindow {
  /** Start divided by SUB_WINDOW_MS; -1 while unused. */
  index: number;
  count: number;
  errorCount: number;
  latencyCount: number;
  latencySum: number;
  latencySquareSum: number;
  histogram: Uint32Array;
  /** The detector's endpoint ids, at most MAX_ROLLUP_ENDPOINTS. */
  endpoints: Set<number>;
  /** Endpoints known to be in the set, direct-mapped: asking the set costs as much as all the sums together. */
  knownEndpoints: Uint32Array;
}

/** A power of two. */
const KNOWN_ENDPOINTS = 64;

/** The occupied buckets of a latency histogram, ascending. */
export interface SparseHistogram {
  buckets: Uint16Array;
  counts: Uint32Array;
}

export interface WindowSums extends Pick<SubWindow, 'count' | 'errorCount' | 'latencyCount' | 'latencySum' | 'latencySquareSum'> {
  buckets: readonly number[];
  counts: readonly number[];
}

export function createSubWindow(index: number): SubWindow {
  return {
    index,
    count: 0,
    errorCount: 0,
    latencyCount: 0,
    latencySum: 0,
    latencySquareSum: 0,
    histogram: new Uint32Array(HISTOGRAM_BUCKETS),
    endpoints: new Set(),
    knownEndpoints: new Uint32Array(KNOWN_ENDPOINTS),
  };
}

export function resetSubWindow(window: SubWindow, index: number): void {
  window.index = index;
  window.count = 0;
  window.errorCount = 0;
  window.latencyCount = 0;
  window.latencySum = 0;
  window.latencySquareSum = 0;
  window.histogram.fill(0);
  window.endpoints.clear();
  window.knownEndpoints.fill(0);
}

/** Adds an event that stands for `weight` of them. `latencyMs` is NaN and `endpoint` 0 when it has none. */
export function addEvent(window: SubWindow, level: number, latencyMs: number, endpoint: number, weight: number): void {
  window.count += weight;
  if (level >= LEVEL_ERROR) window.errorCount += weight;
  if (latencyMs >= 0) {
    window.latencyCount += weight;
    window.latencySum += weight * latencyMs;
    window.latencySquareSum += weight * latencyMs * latencyMs;
    const bucket = bucketOf(latencyMs);
    window.histogram[bucket] = (window.histogram[bucket] as number) + weight;
  }
  const place = endpoint & (KNOWN_ENDPOINTS - 1);
  if (endpoint === 0 || window.knownEndpoints[place] === endpoint) return;
  window.knownEndpoints[place] = endpoint;
  if (window.endpoints.size < MAX_ROLLUP_ENDPOINTS) window.endpoints.add(endpoint);
}

/** Adds the sums of events that were seen elsewhere; `endpoints` are ids. */
export function addSums(window: SubWindow, sums: WindowSums, endpoints: readonly number[]): void {
  window.count += sums.count;
  window.errorCount += sums.errorCount;
  window.latencyCount += sums.latencyCount;
  window.latencySum += sums.latencySum;
  window.latencySquareSum += sums.latencySquareSum;
  for (const [i, bucket] of sums.buckets.entries()) {
    window.histogram[bucket] = (window.histogram[bucket] as number) + (sums.counts[i] ?? 0);
  }
  for (const endpoint of endpoints) {
    if (window.endpoints.size < MAX_ROLLUP_ENDPOINTS) window.endpoints.add(endpoint);
  }
}

const scratchBuckets = new Uint16Array(HISTOGRAM_BUCKETS);
const scratchCounts = new Uint32Array(HISTOGRAM_BUCKETS);

export function toSparse(histogram: Uint32Array): SparseHistogram {
  let used = 0;
  for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
    const count = histogram[i] as number;
    if (count === 0) continue;
    scratchBuckets[used] = i;
    scratchCounts[used++] = count;
  }
  return { buckets: scratchBuckets.slice(0, used), counts: scratchCounts.slice(0, used) };
}

/** Events in buckets above `bucket`. */
export function countAbove({ buckets, counts }: SparseHistogram, bucket: number): number {
  let above = 0;
  for (let i = buckets.length - 1; i >= 0 && (buckets[i] as number) > bucket; i--) above += counts[i] as number;
  return above;
}
