import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from './backoff.ts';
import { createPrng } from './prng.ts';

test('delays double up to the longest, stay in their upper half, and start anew after a success', () => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 1000 }, createPrng(1));
  const wholes = [100, 200, 400, 800, 1000, 1000];
  for (const whole of wholes) {
    const delay = backoff.nextMs();
    assert.ok(delay >= whole / 2 && delay <= whole, `${delay} of ${whole}`);
  }
  assert.equal(backoff.failures, wholes.length);
  backoff.reset();
  assert.ok(backoff.nextMs() <= 100);
});
