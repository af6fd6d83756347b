import { bucketOf, bucketValue } from '../../model/histogram.ts';

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
