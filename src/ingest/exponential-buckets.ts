/** Of one sign of one histogram as sent. */
export const MAX_FILLED_BUCKETS = 32_768;

/**
 * Buckets of one sign of an exponential histogram, the empty ones left out: `index[i]` covers (base^index, base^(index + 1)] of
 * the magnitude, base = 2^(2^-scale) (OpenTelemetry metrics data model, "ExponentialHistogram").
 */
export class SparseBuckets {
  readonly index: number[] = [];
  readonly count: number[] = [];

  clear(): void {
    this.index.length = 0;
    this.count.length = 0;
  }

  /** Indexes must come in ascending order. What is beyond `MAX_FILLED_BUCKETS` by more than one is not kept. */
  add(index: number, count: number): void {
    if (count === 0 || this.index.length > MAX_FILLED_BUCKETS) return;
    this.index.push(index);
    this.count.push(count);
  }
}

export interface ExponentialBuckets {
  scale: number;
  zeroCount: number;
  /** Magnitudes up to this one are in the zero bucket. */
  zeroThreshold: number;
  positive: SparseBuckets;
  negative: SparseBuckets;
}

/**
 * Boundaries of the emitted buckets are those of this scale or a lower one: 2^(k/4), each within 9 % of what it stands for.
 * All boundaries of a lower scale are boundaries of every higher one, so series go on when a wider range lowers the scale.
 */
const MAX_SCALE = 2;
const BUCKETS_PER_OCTAVE = 2 ** MAX_SCALE;
/**
 * The range of one sign grows by whole blocks at multiples of a block, so that it moves seldom, and takes five at most: 41
 * boundaries. What is wider is merged to a lower scale.
 */
const BLOCK_BUCKETS = 8;
const MAX_BLOCKS = 5;
const ROOTS = Array.from({ length: BUCKETS_PER_OCTAVE }, (_, k) => 2 ** (k / BUCKETS_PER_OCTAVE));

/** Value of boundary k at `scale`, the same number at every scale that has it; 0 or Infinity beyond what a number holds. */
function boundary(k: number, scale: number): number {
  const fine = k * 2 ** (MAX_SCALE - scale);
  const octave = Math.floor(fine / BUCKETS_PER_OCTAVE);
  return 2 ** octave * (ROOTS[fine - octave * BUCKETS_PER_OCTAVE] as number);
}

interface Range {
  firstBlock: number;
  endBlock: number;
}

/** Blocks that hold all buckets, at a scale `drop` lower than theirs. */
function blockRange({ index }: SparseBuckets, drop: number): Range {
  if (index.length === 0) return { firstBlock: 0, endBlock: 0 };
  const width = BLOCK_BUCKETS * 2 ** drop;
  return {
    firstBlock: Math.floor((index[0] as number) / width),
    endBlock: Math.floor((index.at(-1) as number) / width) + 1,
  };
}

function fits(buckets: SparseBuckets, drop: number): boolean {
  const { firstBlock, endBlock } = blockRange(buckets, drop);
  return endBlock - firstBlock <= MAX_BLOCKS;
}

function emittedScale({ scale, positive, negative }: ExponentialBuckets): number {
  let emitted = Math.min(scale, MAX_SCALE);
  // Ends: at a low enough scale every index is in block -1 or 0.
  while (!fits(positive, scale - emitted) || !fits(negative, scale - emitted)) emitted--;
  return emitted;
}

/** Boundaries in ascending order with how many observations lie at or below each. */
export class CumulativeBuckets {
  readonly bounds: number[] = [];
  readonly counts: number[] = [];

  clear(): void {
    this.bounds.length = 0;
    this.counts.length = 0;
  }

  /** Leaves out a bound that is not above the one before, or is infinite. */
  add(bound: number, count: number): void {
    if (bound === Infinity || bound === -Infinity || bound <= (this.bounds.at(-1) ?? -Infinity)) return;
    this.bounds.push(bound);
    this.counts.push(count);
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * Classic buckets of an exponential histogram into `out`. Which boundaries there are depends on nothing but which of its buckets
 * are filled: negative ones, then the zero bucket's when that is filled, then positive ones.
 */
export function cumulate(histogram: ExponentialBuckets, out: CumulativeBuckets): void {
  const { scale, zeroCount, zeroThreshold, positive, negative } = histogram;
  out.clear();
  const emitted = emittedScale(histogram);
  const drop = scale - emitted;
  const negativeCount = sum(negative.count);
  addNegative(negative, drop, emitted, negativeCount, zeroThreshold, out);
  const belowCount = negativeCount + zeroCount;
  if (zeroCount > 0) out.add(zeroThreshold, belowCount);
  addPositive(positive, drop, emitted, belowCount, out);
}

function addPositive(buckets: SparseBuckets, drop: number, scale: number, below: number, out: CumulativeBuckets): void {
  const { firstBlock, endBlock } = blockRange(buckets, drop);
  if (firstBlock === endBlock) return;
  let total = below;
  let i = 0;
  for (let k = firstBlock * BLOCK_BUCKETS; k <= endBlock * BLOCK_BUCKETS; k++) {
    while (i < buckets.index.length && Math.floor((buckets.index[i] as number) / 2 ** drop) < k)
      total += buckets.count[i++] as number;
    const bound = boundary(k, scale);
    if (bound > 0) out.add(bound, total);
  }
}

/** A negative bucket covers [-base^(index + 1), -base^index): its upper bound is the boundary nearer to zero. */
function addNegative(
  buckets: SparseBuckets,
  drop: number,
  scale: number,
  negativeCount: number,
  zeroThreshold: number,
  out: CumulativeBuckets,
): void {
  const { firstBlock, endBlock } = blockRange(buckets, drop);
  if (firstBlock === endBlock) return;
  let total = 0;
  let i = buckets.index.length - 1;
  for (let k = endBlock * BLOCK_BUCKETS; k >= firstBlock * BLOCK_BUCKETS; k--) {
    while (i >= 0 && Math.floor((buckets.index[i] as number) / 2 ** drop) >= k) total += buckets.count[i--] as number;
    const bound = boundary(k, scale);
    if (bound > zeroThreshold) out.add(-bound, total);
  }
  if (total < negativeCount) out.add(-zeroThreshold, negativeCount);
}
