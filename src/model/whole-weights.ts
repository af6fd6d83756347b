import type { EventBatch } from './event-batch.ts';

/** A sampled span that claims to stand for more counts as this many: one hostile span must not outweigh a fleet. */
export const MAX_WHOLE_WEIGHT = 16_384;

let weights = new Uint32Array(1024);

/**
 * How many events each row of a batch counts for, in whole numbers: null when each counts for itself alone. What rounding
 * leaves over is carried to the next row, so that the sum over a batch is right within one half. Depends on the batch
 * alone; valid until the next call.
 */
export function wholeWeights(batch: EventBatch): Uint32Array | null {
  const { weight, count } = batch;
  let first = 0;
  while (first < count && weight[first] === 1) first++;
  if (first === count) return null;
  if (weights.length < count) weights = new Uint32Array(2 * count);
  weights.fill(1, 0, first);
  let carry = 0.5;
  for (let i = first; i < count; i++) {
    const exact = Math.min(MAX_WHOLE_WEIGHT, weight[i] as number) + carry;
    const whole = Math.floor(exact);
    carry = exact - whole;
    weights[i] = whole;
  }
  return weights;
}
