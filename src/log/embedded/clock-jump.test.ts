import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { keyOf, readAll, recordOf } from '../record.fixture.ts';
import { FIXTURE_NOW_MS, openFixtureLog, temporaryDir } from './log.fixture.ts';
import { openLogReader } from './segment-reader.ts';

const HOUR_MS = 3_600_000;

/** Time passes evenly, but the wall clock can be set. */
class SetClock extends ManualClock {
  jumpMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.jumpMs;
  }
}

function keyed(number: number, clock: SetClock) {
  const idempotency = { keyHash: keyOf(number), bodyHash: '0'.repeat(16), answer: '' };
  return recordOf(`record ${number}`, 1, { idempotency, receivedAtMs: clock.nowMs() });
}

for (const jumpMs of [-24 * HOUR_MS, 24 * HOUR_MS]) {
  test(`a wall clock that jumps by ${jumpMs / HOUR_MS} hours closes a segment once and then when its time has come`, async () => {
    using dir = temporaryDir();
    const clock = new SetClock(FIXTURE_NOW_MS);
    await using log = await openFixtureLog(dir.path, { clock, config: { segment_age: 60_000 } });
    await log.append(recordOf('before'));
    clock.jumpMs = jumpMs;
    clock.advance(61_000);
    assert.equal(log.status().segments, 2);
    await log.append(recordOf('after'));
    assert.equal(log.status().segments, 2);
    clock.advance(61_000);
    assert.equal(log.status().segments, 3, 'a segment made after the jump ages as usual');
    clock.advance(HOUR_MS);
    assert.equal(log.status().segments, 3);
    await using reader = openLogReader({ dir: dir.path });
    assert.equal((await readAll(reader, 2)).length, 2);
  });
}

test('after a jump back the keys from before are known, and new ones are kept for the whole window', async () => {
  using dir = temporaryDir();
  const clock = new SetClock(FIXTURE_NOW_MS);
  const idempotency = { windowMs: HOUR_MS, maxKeys: 1000 };
  await using log = await openFixtureLog(dir.path, { clock, idempotency });
  await log.append(keyed(1, clock));
  clock.jumpMs = -10 * HOUR_MS;
  await log.append(keyed(2, clock));
  clock.advance(HOUR_MS - 1);
  assert.equal(log.findRequest(keyOf(1))?.count, 1);
  assert.equal(log.findRequest(keyOf(2))?.count, 1);
  clock.advance(2);
  assert.equal(log.findRequest(keyOf(2)), undefined);
});

test('after a jump forward keys are forgotten only when the window has passed by that clock', async () => {
  using dir = temporaryDir();
  const clock = new SetClock(FIXTURE_NOW_MS);
  await using log = await openFixtureLog(dir.path, { clock, idempotency: { windowMs: HOUR_MS, maxKeys: 1000 } });
  await log.append(keyed(1, clock));
  clock.jumpMs = HOUR_MS / 2;
  assert.equal(log.findRequest(keyOf(1))?.count, 1);
  clock.jumpMs = 2 * HOUR_MS;
  assert.equal(log.findRequest(keyOf(1)), undefined);
  clock.jumpMs = 0;
  assert.equal(log.findRequest(keyOf(1))?.count, 1, 'looking alone forgets nothing');
});

test('retention by a clock that is far ahead stops at the newest segment and at what nobody has read', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path, { readers: ['pipeline'], config: { segment_size: 1 } });
  for (let i = 0; i < 4; i++) await log.append(recordOf(`record ${i}`));
  await log.seal();
  log.acknowledge('pipeline', 2);
  const limits = { maxAgeMs: 30 * 24 * HOUR_MS, maxBytes: Infinity };
  assert.equal(await log.retain(limits, FIXTURE_NOW_MS - 1000 * HOUR_MS), 0, 'a clock that is behind removes nothing');
  assert.ok((await log.retain(limits, FIXTURE_NOW_MS + 100_000 * HOUR_MS)) > 0);
  assert.equal(log.status().firstOffset, 2);
  await using reader = openLogReader({ dir: dir.path });
  assert.equal((await readAll(reader, 4)).length, 2);
});
