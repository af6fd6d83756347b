import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { ClientLimits, TokenBucket } from './token-bucket.ts';

test('a bucket lets a burst in, then asks to wait until its debt is paid', () => {
  const bucket = new TokenBucket(100, 1000, 0);
  assert.equal(bucket.waitMs(0), 0);
  bucket.take(150, 0);
  assert.equal(bucket.waitMs(0), 510);
  assert.equal(bucket.waitMs(510), 0);
});

test('a bucket never holds more than its burst, and a clock that jumps back gives nothing', () => {
  const bucket = new TokenBucket(10, 1000, 1000);
  assert.equal(bucket.waitMs(1e9), 0);
  bucket.take(10, 1e9);
  assert.ok(bucket.waitMs(1e9) > 0);
  assert.ok(bucket.waitMs(0) > 0);
});

test('clients are limited apart from each other, in events and in bytes', () => {
  const clock = new ManualClock();
  const limits = new ClientLimits({ eventsPerSecond: 10, bytesPerSecond: 1000, burstMs: 1000 }, clock);
  limits.take('a', 20, 0);
  limits.take('b', 0, 5000);
  assert.ok(limits.waitMs('a') > 0);
  assert.ok(limits.waitMs('b') > limits.waitMs('a'));
  assert.equal(limits.waitMs('c'), 0);
  clock.advance(60_000);
  assert.equal(limits.waitMs('a') + limits.waitMs('b'), 0);
});

test('without rates nobody waits', () => {
  const limits = new ClientLimits({ eventsPerSecond: 0, bytesPerSecond: 0, burstMs: 1000 }, new ManualClock());
  limits.take('a', 1e9, 1e12);
  assert.equal(limits.waitMs('a'), 0);
});

test('many clients that are idle are forgotten', () => {
  const clock = new ManualClock();
  const limits = new ClientLimits({ eventsPerSecond: 10, bytesPerSecond: 0, burstMs: 1000 }, clock);
  limits.take('busy', 1000, 0);
  for (let i = 0; i < 10_001; i++) limits.take(`client-${i}`, 0, 0);
  assert.ok(limits.waitMs('busy') > 0);
});
