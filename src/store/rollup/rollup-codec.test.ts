import assert from 'node:assert/strict';
import test from 'node:test';
import type { Prng } from '../../lib/prng.ts';
import { createPrng } from '../../lib/prng.ts';
import { bucketOf, HISTOGRAM_BUCKETS } from '../../model/histogram.ts';
import { decodeRollups, encodeRollups } from './rollup-codec.ts';
import { RollupSum } from './rollup-sum.ts';

const ALL = { endpoints: true, histogram: true };

function addEvent(sum: RollupSum, latency: number, repeat = 1): void {
  sum.count += repeat;
  sum.latencyCount += repeat;
  sum.latencySum += latency * repeat;
  sum.latencySquareSum += latency * latency * repeat;
  sum.addToHistogram(bucketOf(latency), repeat);
}

function randomSum(prng: Prng): RollupSum {
  const sum = new RollupSum();
  const kind = prng.below(4);
  if (kind === 0) return sum;
  for (let i = prng.below(200); i > 0; i--) addEvent(sum, Math.exp(10 * prng.normal()), kind === 2 ? 1 + prng.below(2 ** 23) : 1);
  sum.count += 1 + prng.below(2 ** 31);
  sum.errorCount = prng.below(sum.count);
  for (let i = prng.below(50); i > 0; i--) sum.addEndpoint(1 + prng.below(1_000_000));
  return sum;
}

/** Everything that a sum holds, for comparison. */
function contentOf(sum: RollupSum): unknown {
  const { count, errorCount, latencyCount, latencySum, latencySquareSum, low, high, histogram, endpoints } = sum;
  const ids = [...endpoints].sort((a, b) => a - b);
  return { count, errorCount, latencyCount, latencySum, latencySquareSum, low, high, histogram: [...histogram], ids };
}

test('sums come back from their blob as they were, in any combination of slots', () => {
  const prng = createPrng(21);
  for (let round = 0; round < 60; round++) {
    const sums = Array.from({ length: round % 3 === 0 ? 1 : 6 }, () => randomSum(prng));
    const decoded = sums.map(() => new RollupSum());
    decodeRollups(encodeRollups(sums), decoded, ALL);
    assert.deepEqual(decoded.map(contentOf), sums.map(contentOf));
  }
});

test('decoding adds to its targets, skips null, and leaves out the parts not asked for', () => {
  const sums = [new RollupSum(), new RollupSum()];
  for (const sum of sums) {
    addEvent(sum, 100);
    sum.addEndpoint(3);
  }
  const blob = encodeRollups(sums);
  const total = new RollupSum();
  decodeRollups(blob, [total, total], ALL);
  assert.deepEqual([total.count, total.latencySum, total.histogram[bucketOf(100)], [...total.endpoints]], [2, 200, 2, [3]]);
  const second = new RollupSum();
  decodeRollups(blob, [null, second], { endpoints: false, histogram: false });
  assert.deepEqual([second.count, second.high, second.endpoints.size], [1, -1, 0]);
});

test('a minute of 140 typical events takes at most 300 bytes', () => {
  const prng = createPrng(2);
  const sums = Array.from({ length: 6 }, () => new RollupSum());
  for (let i = 0; i < 140; i++) {
    const sum = sums[i % 6] as RollupSum;
    addEvent(sum, Math.round(Math.exp(3.5 + 0.6 * prng.normal()) * 1000) / 1000);
    sum.addEndpoint(1 + prng.below(10));
  }
  assert.ok(encodeRollups(sums).length <= 300);
});

test('a blob that is cut or scrambled is corrupt data or other sums, never a crash or an endless loop', () => {
  const prng = createPrng(4);
  const sum = new RollupSum();
  for (let i = 0; i < 300; i++) addEvent(sum, Math.exp(5 * prng.normal()));
  const blob = encodeRollups([sum]);
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const damaged = blob.slice(0, round % 2 === 0 ? prng.below(blob.length) : blob.length);
    for (let i = prng.below(4); i >= 0 && damaged.length > 0; i--) damaged[prng.below(damaged.length)] = prng.below(256);
    const target = new RollupSum();
    try {
      decodeRollups(damaged, [target], ALL);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'corrupt_data');
      refused++;
    }
    assert.equal(target.histogram.length, HISTOGRAM_BUCKETS);
  }
  assert.ok(refused > 100);
});

test('mean, population deviation and nearest-rank quantiles are those of the values', () => {
  const sum = new RollupSum();
  assert.deepEqual([sum.mean, sum.standardDeviation, sum.quantile(0.5)], [null, null, null]);
  for (const latency of [2, 4, 4, 4, 5, 5, 7, 9]) addEvent(sum, latency);
  assert.equal(sum.mean, 5);
  assert.equal(sum.standardDeviation, 2);
  assert.ok(Math.abs((sum.quantile(0.75) as number) - 5) / 5 < 0.016);
  sum.reset();
  assert.deepEqual(contentOf(sum), contentOf(new RollupSum()));
});
