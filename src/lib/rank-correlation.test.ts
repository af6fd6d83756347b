import assert from 'node:assert/strict';
import test from 'node:test';
import { rankCorrelation } from './rank-correlation.ts';

test('order alone counts, and ties share their rank', () => {
  assert.equal(rankCorrelation([1, 2, 3, 9], [10, 20, 21, 22]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  // By hand: ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3.
  assert.ok(Math.abs(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4]) - 4.5 / Math.sqrt(4.5 * 5)) < 1e-12);
  assert.ok(Number.isNaN(rankCorrelation([1, 1], [1, 2])));
});
