import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock, systemClock } from '../lib/clock.ts';
import { createPrng } from '../lib/prng.ts';
import { openFixtureLog, temporaryDir } from './embedded/log.fixture.ts';
import { openLogReader } from './embedded/segment-reader.ts';
import { eventLogContract } from './event-log.contract.ts';
import { readAll, recordOf } from './record.fixture.ts';
import { createFaultyLog, type FaultRates } from './faulty.ts';

eventLogContract('faulty log without faults', { wholeRecords: true, retention: true }, async () => {
  const dir = temporaryDir();
  const log = createFaultyLog(await openFixtureLog(dir.path, { clock: systemClock }), createPrng(1), systemClock, {});
  const close = async (): Promise<void> => {
    await log[Symbol.asyncDispose]();
    dir[Symbol.dispose]();
  };
  return { log, openReader: () => openLogReader({ dir: dir.path }), close };
});

/** Appends forty records one by one; returns which were acknowledged and which are in the log. */
async function run(seed: number, rates: FaultRates): Promise<{ acknowledged: number[]; stored: number[] }> {
  using dir = temporaryDir();
  await using log = createFaultyLog(await openFixtureLog(dir.path), createPrng(seed), new ManualClock(), rates);
  const acknowledged: number[] = [];
  for (let i = 0; i < 40; i++) {
    const appended = log.append(recordOf(`${i}`, i));
    await appended.then(() => acknowledged.push(i)).catch(() => {});
  }
  await using reader = openLogReader({ dir: dir.path });
  return { acknowledged, stored: (await readAll(reader, log.committedOffset())).map(({ count }) => count) };
}

test('failed appends are not stored, and a seed means the same failures', async () => {
  const { acknowledged, stored } = await run(3, { fail: 0.3 });
  assert.deepEqual(stored, acknowledged);
  assert.ok(stored.length > 10 && stored.length < 40);
  assert.deepEqual(await run(3, { fail: 0.3 }), { acknowledged, stored });
});

test('lost answers are stored all the same', async () => {
  const { acknowledged, stored } = await run(4, { loseAnswer: 0.3 });
  assert.equal(stored.length, 40);
  assert.ok(acknowledged.length < 40);
});

test('duplicated appends are stored twice', async () => {
  const { acknowledged, stored } = await run(5, { duplicate: 0.3 });
  assert.equal(acknowledged.length, 40);
  assert.ok(stored.length > 40);
});

test('a delayed append resolves when its time has come', async () => {
  using dir = temporaryDir();
  const clock = new ManualClock();
  await using log = createFaultyLog(await openFixtureLog(dir.path), createPrng(6), clock, { delay: 1, maxDelayMs: 50 });
  const committed = new Promise((resolve) => {
    log.onCommit(resolve);
  });
  let resolved = false;
  const appended = log.append(recordOf('slow')).then(() => {
    resolved = true;
  });
  await committed;
  await new Promise(setImmediate);
  assert.equal(resolved, false);
  clock.advance(50);
  await appended;
  assert.equal(resolved, true);
});
