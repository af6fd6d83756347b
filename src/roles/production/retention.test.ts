import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import { PartitionRetention, RETENTION_PERIOD_MS } from './retention.ts';

const MINUTE_MS = 60_000;
const PLACE = { topic: 'events', partition: 2 };

function retentionOf(keepMs: number, clock: ManualClock, remove: (beforeMs: number) => Promise<void>): PartitionRetention {
  const options = { keepMs, now: () => Promise.resolve(10_000_000), clock, prng: createPrng(1), logger: silentLogger };
  return new PartitionRetention(options, PLACE, remove);
}

test('old data is removed soon after a start and then every hour', async () => {
  const clock = new ManualClock();
  const removed: number[] = [];
  const retention = retentionOf(4_000_000, clock, (beforeMs) => Promise.resolve(void removed.push(beforeMs)));
  assert.equal(retention.isDue(), false);
  clock.advance(2 * MINUTE_MS);
  assert.equal(retention.isDue(), true);
  await retention.run();
  assert.deepEqual(removed, [6_000_000]);
  clock.advance(RETENTION_PERIOD_MS - 1);
  assert.equal(retention.isDue(), false);
  clock.advance(1);
  assert.equal(retention.isDue(), true);
});

test('a failure is said and tried again within minutes', async () => {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const options = { keepMs: 1, now: () => Promise.resolve(0), clock, prng: createPrng(1), logger };
  const retention = new PartitionRetention(options, PLACE, () => Promise.reject(new Error('no connection')));
  clock.advance(2 * MINUTE_MS);
  await retention.run();
  assert.match(warnings.join(), /cannot remove what is past its retention/);
  assert.equal(retention.isDue(), false);
  clock.advance(2 * MINUTE_MS);
  assert.equal(retention.isDue(), true);
});

test('what is kept for ever is never looked at', () => {
  const clock = new ManualClock();
  const retention = retentionOf(Infinity, clock, () => Promise.reject(new Error('it was')));
  clock.advance(100 * RETENTION_PERIOD_MS);
  assert.equal(retention.isDue(), false);
});
