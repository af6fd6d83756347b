import assert from 'node:assert/strict';
import test from 'node:test';
import { StreamRing } from './stream-ring.ts';
import type { StreamEntry } from './stream-ring.ts';

const entry = (size: number): StreamEntry => ({ type: 'anomaly', services: [], frame: new Uint8Array(size) });

test('ids are consecutive from the first, and the ring keeps the last entries', () => {
  const ring = new StreamRing(101, 3, 1000);
  assert.equal(ring.oldestId, ring.nextId);
  const entries = [1, 2, 3, 4, 5].map(entry);
  for (const each of entries) ring.push(each);
  assert.deepEqual([ring.oldestId, ring.nextId], [103, 106]);
  assert.equal(ring.at(102), undefined);
  assert.deepEqual(
    [103, 104, 105].map((id) => ring.at(id)),
    entries.slice(2),
  );
  assert.equal(ring.at(106), undefined);
});

test('the ring drops its oldest entries to stay within its bytes', () => {
  const ring = new StreamRing(1, 100, 50);
  for (let i = 0; i < 20; i++) ring.push(entry(20));
  assert.deepEqual([ring.oldestId, ring.nextId], [19, 21]);
});

test('an entry larger than the bound is kept alone until the next one comes', () => {
  const ring = new StreamRing(1, 100, 50);
  ring.push(entry(10));
  ring.push(entry(500));
  assert.equal(ring.oldestId, 2);
  assert.equal(ring.at(2)?.frame.length, 500);
  ring.push(entry(10));
  assert.equal(ring.oldestId, 3);
});
