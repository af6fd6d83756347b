import assert from 'node:assert/strict';
import test from 'node:test';
import { createEventBatch, createNames } from './event-batch.ts';
import { MAX_WHOLE_WEIGHT, wholeWeights } from './whole-weights.ts';

function batchOf(weights: readonly number[]): ReturnType<typeof createEventBatch> {
  const batch = createEventBatch(createNames(), weights.length);
  batch.count = weights.length;
  batch.weight.set(weights);
  return batch;
}

test('a batch without sampled spans has no weights', () => {
  assert.equal(wholeWeights(batchOf([1, 1, 1])), null);
});

test('whole weights stay as they are, and events beside them count once', () => {
  assert.deepEqual([...(wholeWeights(batchOf([1, 16, 1, 2])) as Uint32Array).subarray(0, 4)], [1, 16, 1, 2]);
});

test('what rounding leaves over is carried, so that the sum is right', () => {
  const weights = wholeWeights(batchOf(Array.from({ length: 30 }, () => 10 / 3))) as Uint32Array;
  assert.equal(
    weights.subarray(0, 30).reduce((sum, weight) => sum + weight, 0),
    100,
  );
});

test('a weight is bounded', () => {
  assert.equal((wholeWeights(batchOf([2 ** 56])) as Uint32Array)[0], MAX_WHOLE_WEIGHT);
});
