import assert from 'node:assert/strict';
import test from 'node:test';
import { EventTime } from './event-time.ts';

const T0 = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;

test('event time goes on with the newest event of records and never back', () => {
  const time = new EventTime();
  assert.equal(time.newestMs, -Infinity);
  time.observe(T0, T0 + 900);
  time.observe(T0 - 5000, T0 - 4000);
  time.observe(T0 + 1000, T0 + 1900);
  assert.equal(time.newestMs, T0 + 1900);
});

test('a wild event does not move it, whether alone or among others', () => {
  const time = new EventTime();
  time.observe(T0, T0 + 900);
  time.observe(T0 + 1000, T0 + HOUR_MS);
  assert.equal(time.newestMs, T0 + 1000);
  time.observe(T0 + HOUR_MS, T0 + HOUR_MS);
  time.observe(T0 + 2000, T0 + 2900);
  time.observe(T0 + HOUR_MS, T0 + HOUR_MS);
  time.observe(T0 + HOUR_MS, T0 + HOUR_MS);
  assert.equal(time.newestMs, T0 + 2900);
});

test('when all records are far ahead the data has jumped, to where the least of them is', () => {
  const time = new EventTime();
  time.observe(T0, T0);
  for (const aheadMs of [2 * HOUR_MS, HOUR_MS, HOUR_MS + 5]) time.observe(T0 + aheadMs, T0 + aheadMs);
  assert.equal(time.newestMs, T0 + HOUR_MS);
});
