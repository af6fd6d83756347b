import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { openArchiveRetention } from './archive-retention.ts';
import type { Archive } from './archive.ts';

const HOUR_MS = 3_600_000;

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function setUp(keepMs: number, remove: (beforeMs: number) => Promise<number>) {
  const clock = new ManualClock(1000 * HOUR_MS);
  const archives = [{ name: 'folder', remove } as unknown as Archive];
  return { clock, retention: openArchiveRetention({ archives, keepMs, now: () => clock.nowMs(), clock, logger: silentLogger }) };
}

test('what is past its retention is removed now and then, and sooner again after a failure', async () => {
  const asked: number[] = [];
  const { clock, retention } = setUp(24 * HOUR_MS, (beforeMs) => {
    asked.push(beforeMs / HOUR_MS);
    return asked.length === 2 ? Promise.reject(new Error('denied')) : Promise.resolve(3);
  });
  for (let minute = 0; minute < 14 * 60; minute++) {
    clock.advance(60_000);
    await settle();
  }
  const [first, second, third] = asked as [number, number, number];
  assert.ok(first > 976 && first < 977, 'soon after the start');
  assert.ok(second - first >= 6 && third - second < 1, asked.join(', '));
  await retention[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});

test('without a retention nothing is ever removed', () => {
  const { clock } = setUp(Infinity, () => Promise.reject(new Error('removed')));
  assert.equal(clock.pendingTimers, 0);
});
