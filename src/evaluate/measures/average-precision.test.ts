import assert from 'node:assert/strict';
import test from 'node:test';
import { areaUnderRoc, averagePrecision } from './average-precision.ts';

test('average precision of a small ranking is the sum done by hand', () => {
  assert.equal(averagePrecision([4, 3, 2, 1], [1, 0, 1, 0]), 0.5 * 1 + 0.5 * (2 / 3));
  assert.equal(averagePrecision([1, 2], [0, 1]), 1);
});

test('tied scores count together, in whatever order they come', () => {
  assert.equal(averagePrecision([1, 1, 1, 1], [1, 0, 0, 0]), 0.25);
  assert.equal(averagePrecision([2, 2, 1], [0, 1, 1]), averagePrecision([2, 2, 1], [1, 0, 1]));
});

test('without a positive there is no average precision', () => {
  assert.ok(Number.isNaN(averagePrecision([1, 2], [0, 0])));
});

test('the area under the ROC curve is the share of pairs in order, ties half', () => {
  assert.equal(areaUnderRoc([4, 3, 2, 1], [1, 0, 1, 0]), 0.75);
  assert.equal(areaUnderRoc([1, 1], [1, 0]), 0.5);
  assert.ok(Number.isNaN(areaUnderRoc([1, 2], [1, 1])));
});
