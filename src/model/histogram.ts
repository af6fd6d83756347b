/**
 * Log-bucket histogram over the bits of a float32: 32 buckets an octave, so a bucket's middle is within 1.6 % of every
 * value in it. Buckets run from 2^-10 (about 1 µs in milliseconds) to 2^30 (1e9 ms); smaller and larger values
 * go to the first and last bucket. Merging is a vector add.
 */
const SHIFT = 18;
const LOWEST_EXPONENT = 127 - 10;
export const HISTOGRAM_BASE = LOWEST_EXPONENT << 5;
export const HISTOGRAM_BUCKETS = 40 << 5;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bucket of a value >= 0, 0 .. HISTOGRAM_BUCKETS - 1. */
export function bucketOf(value: number): number {
  float[0] = value;
  const bucket = ((bits[0] as number) >>> SHIFT) - HISTOGRAM_BASE;
  if (bucket < 0) return 0;
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/** The value that stands for a bucket: its middle; 0 for the first. */
export function bucketValue(bucket: number): number {
  if (bucket === 0) return 0;
  bits[0] = (bucket + HISTOGRAM_BASE) << SHIFT;
  const low = float[0] as number;
  bits[0] = (bucket + 1 + HISTOGRAM_BASE) << SHIFT;
  return (low + (float[0] as number)) / 2;
}

/** Nearest-rank quantile (rank = ceil(q n)) of dense bucket counts, or NaN when `total` is 0. */
export function histogramQuantile(counts: ArrayLike<number>, total: number, q: number): number {
  if (total === 0) return NaN;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] as number;
    if (seen >= rank) return bucketValue(bucket);
  }
  return bucketValue(counts.length - 1);
}

/** The same from above, for quantiles near 1: of a long array little is read. */
export function upperQuantile(counts: ArrayLike<number>, total: number, q: number): number {
  if (total === 0) return NaN;
  const above = total - Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let bucket = counts.length - 1; bucket > 0; bucket--) {
    seen += counts[bucket] as number;
    if (seen > above) return bucketValue(bucket);
  }
  return bucketValue(0);
}
