import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { IdempotencyIndex } from './idempotency-index.ts';

function hash(number: number): string {
  // Few distinct low bits, so that chains in the table collide and wrap.
  return `${(number % 7).toString(16).padStart(2, '0')}000000${number.toString(16).padStart(24, '0')}`;
}

test('behaves as a map of the last keys within the window, whatever comes and goes', () => {
  const limits = { windowMs: 500, maxKeys: 3000 };
  const prng = createPrng(7);
  let evicted = 0;
  const index = new IdempotencyIndex(limits, (count) => {
    evicted += count;
  });
  const ring: { key: number; time: number; count: number; answer: string }[] = [];
  let expected = 0;
  for (let now = 0; now < 12_000; now++) {
    // Bursts and pauses: first full by count, then emptied by age.
    const time = now < 6000 ? 1000 + now / 100 : 1000 + now;
    const row = { key: prng.below(5000), time, count: now, answer: prng.below(4) === 0 ? `answer ${now}` : '' };
    while (ring[0] && ring[0].time < time - limits.windowMs) ring.shift();
    if (ring.length === limits.maxKeys) {
      ring.shift();
      expected++;
    }
    ring.push(row);
    index.add({ keyHash: hash(row.key), bodyHash: '00000000deadbeef', answer: row.answer }, row.count, time, time);
    const probe = prng.below(5000);
    const known = ring.findLast(({ key }) => key === probe);
    const found = index.find(hash(probe), time);
    assert.deepEqual(found, known && { bodyHash: '00000000deadbeef', count: known.count, answer: known.answer });
  }
  assert.equal(evicted, expected);
  assert.equal(index.size, ring.length);
});

test('keys older than the window are not taken in and not found', () => {
  const index = new IdempotencyIndex({ windowMs: 100, maxKeys: 10 }, () => {});
  index.add({ keyHash: hash(1), bodyHash: '0'.repeat(16), answer: '' }, 1, 0, 200);
  assert.equal(index.size, 0);
  index.add({ keyHash: hash(1), bodyHash: '0'.repeat(16), answer: '' }, 1, 150, 200);
  assert.equal(index.find(hash(1), 250)?.count, 1);
  assert.equal(index.find(hash(1), 251), undefined);
});

test('an index of no keys remembers nothing', () => {
  const index = new IdempotencyIndex({ windowMs: 100, maxKeys: 0 }, () => {});
  index.add({ keyHash: hash(1), bodyHash: '0'.repeat(16), answer: '' }, 1, 0, 0);
  assert.equal(index.find(hash(1), 0), undefined);
});

test('answers that take too much memory push the oldest keys out', () => {
  let evicted = 0;
  const index = new IdempotencyIndex({ windowMs: 1000, maxKeys: 10_000 }, () => {
    evicted++;
  });
  const answer = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < 70; i++) index.add({ keyHash: hash(i), bodyHash: '0'.repeat(16), answer }, 1, 0, 0);
  assert.equal(index.size, 64);
  assert.equal(evicted, 6);
  assert.equal(index.find(hash(5), 0), undefined);
  assert.equal(index.find(hash(6), 0)?.answer, answer);
});
