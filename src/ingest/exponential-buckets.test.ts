import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { CumulativeBuckets, cumulate, SparseBuckets } from './exponential-buckets.ts';
import type { ExponentialBuckets } from './exponential-buckets.ts';

type Counts = readonly (readonly [index: number, count: number])[];

function histogram(scale: number, positive: Counts, negative: Counts = [], zeroCount = 0, zeroThreshold = 0): ExponentialBuckets {
  const sparse = (counts: Counts): SparseBuckets => {
    const buckets = new SparseBuckets();
    for (const [index, count] of counts) buckets.add(index, count);
    return buckets;
  };
  return { scale, zeroCount, zeroThreshold, positive: sparse(positive), negative: sparse(negative) };
}

/** Bounds and cumulative counts. */
function classic(buckets: ExponentialBuckets): [bound: number, count: number][] {
  const out = new CumulativeBuckets();
  cumulate(buckets, out);
  return out.bounds.map((bound, k) => [bound, out.counts[k] as number]);
}

const countAt = (pairs: [number, number][], bound: number): number | undefined => pairs.find(([le]) => le === bound)?.[1];

test('buckets by hand at scale 0: (1, 2] holds 3, (2, 4] holds 4, one block of eight around them', () => {
  const pairs = classic(histogram(0, [[0, 3], [1, 4]])); // prettier-ignore
  assert.deepEqual(
    pairs,
    [[1, 0], [2, 3], [4, 7], [8, 7], [16, 7], [32, 7], [64, 7], [128, 7], [256, 7]], // prettier-ignore
  );
});

test('the zero bucket lies below the positive ones, and negative ones below it', () => {
  const pairs = classic(histogram(0, [[0, 3]], [[0, 2], [1, 5]], 4, 0.25)); // prettier-ignore
  assert.equal(countAt(pairs, -4), 0);
  assert.equal(countAt(pairs, -2), 5);
  assert.equal(countAt(pairs, -1), 7);
  assert.equal(countAt(pairs, 0.25), 11);
  assert.equal(countAt(pairs, 1), 11);
  assert.equal(countAt(pairs, 2), 14);
  assert.deepEqual(
    pairs.map(([bound]) => bound),
    pairs.map(([bound]) => bound).toSorted((a, b) => a - b),
  );
});

test('a fine scale is merged to quarters of an octave', () => {
  const pairs = classic(histogram(4, [[0, 1], [1, 1], [2, 1], [3, 1], [4, 1], [5, 1]])); // prettier-ignore
  assert.equal(countAt(pairs, 2 ** 0.25), 4);
  assert.equal(countAt(pairs, 2 ** 0.5), 6);
  assert.equal(pairs.length, 9);
});

test('a wide range is merged further, to 41 boundaries at most, all of them boundaries of the finer scales', () => {
  const fine = classic(histogram(2, [[0, 1], [38, 1]])); // prettier-ignore
  assert.equal(fine.length, 41);
  const wide = classic(histogram(2, [[0, 1], [38, 1], [1000, 1]])); // prettier-ignore
  assert.ok(wide.length <= 41);
  const quarters = (bound: number): number => Math.log2(bound) * 4;
  for (const [bound] of wide) assert.equal(quarters(bound), Math.round(quarters(bound)));
  assert.equal(wide.at(-1)?.[1], 3);
});

test('more observations of the same kind move no boundary', () => {
  const before = classic(histogram(3, [[10, 5], [40, 2]])); // prettier-ignore
  const after = classic(histogram(3, [[11, 900], [12, 1], [43, 7]])); // prettier-ignore
  assert.deepEqual(
    after.map(([bound]) => bound),
    before.map(([bound]) => bound),
  );
});

test('indexes at the end of what a number holds give finite ascending boundaries', () => {
  for (const scale of [-32, -11, -1, 0, 2, 20, 32]) {
    for (const index of [-(2 ** 31), -2000, 2000, 2 ** 31 - 1]) {
      const pairs = classic(histogram(scale, [[index, 1], [index + 1, 1]], [[index, 1]], 1)); // prettier-ignore
      assert.ok(pairs.every(([bound], k) => Number.isFinite(bound) && bound > (pairs[k - 1]?.[0] ?? -Infinity)));
      assert.ok(pairs.length <= 83);
    }
  }
});

test('random values are counted below every boundary that is not inside their own bucket', () => {
  const prng = createPrng(3);
  for (let round = 0; round < 300; round++) {
    const scale = prng.below(12) - 3;
    const width = prng.below(3) === 0 ? 12 : 2;
    const values = Array.from({ length: 1 + prng.below(60) }, () => Math.exp(prng.normal() * width));
    const base = 2 ** (2 ** -scale);
    const counts = new Map<number, number>();
    for (const value of values) {
      const index = Math.ceil(Math.log(value) / Math.log(base)) - 1;
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    const positive = [...counts].toSorted(([a], [b]) => a - b);
    const pairs = classic(histogram(scale, positive, [], 2));
    assert.ok(pairs.length <= 42, `round ${round}`);
    for (const [bound, count] of pairs) {
      if (bound === 0) continue;
      const below = positive.filter(([index]) => (index + 1) * 2 ** -scale <= Math.log2(bound) + 1e-9);
      assert.equal(count, 2 + below.reduce((sum, [, many]) => sum + many, 0), `round ${round}, boundary ${bound}`);
    }
    assert.equal(pairs.at(-1)?.[1], values.length + 2);
  }
});
