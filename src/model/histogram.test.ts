import assert from 'node:assert/strict';
import test from 'node:test';
import { HISTOGRAM_BUCKETS, histogramQuantile, upperQuantile } from './histogram.ts';

test('a quantile read from above is the same', () => {
  const counts = new Uint32Array(HISTOGRAM_BUCKETS);
  for (let i = 0; i < 500; i++) counts[(i * 37) % 1000] = i % 5;
  const total = counts.reduce((sum, count) => sum + count, 0);
  for (const q of [0.01, 0.5, 0.95, 0.99, 1]) {
    assert.equal(upperQuantile(counts, total, q), histogramQuantile(counts, total, q));
  }
  assert.ok(Number.isNaN(upperQuantile(counts, 0, 0.5)));
});
