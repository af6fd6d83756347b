import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Damage } from '../event-log.ts';
import { readAll, recordOf } from '../record.fixture.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { openEventSource } from './event-source.ts';
import { FIXTURE_NOW_MS, logFiles, openFixtureLog, temporaryDir, TroubledFiles } from './log.fixture.ts';
import { SealWorker } from './seal-worker.ts';
import { openLogReader } from './segment-reader.ts';

const newestFile = (dir: string): string => logFiles(dir, 'log').at(-1) as string;
const newestSize = (dir: string): number => fs.statSync(newestFile(dir)).size;

/** Leaves segments raw, to be looked at. */
class IdleSealWorker extends SealWorker {
  override seal(): Promise<null> {
    return Promise.resolve(null);
  }
}

async function appendMany(log: EmbeddedLog, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await log.append(recordOf(`r${i}`));
}

test('small commits are written over zeros and do not change the size of the file', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const sizes = new Set<number>();
  for (let i = 0; i < 600; i++) {
    await log.append(recordOf(`r${i}`));
    sizes.add(newestSize(dir.path));
  }
  assert.equal(sizes.size, 2);
  const { bytes } = log.status();
  assert.ok(bytes > 64 * 1024 && bytes < newestSize(dir.path), 'zeros are not counted');
  assert.ok(
    fs
      .readFileSync(newestFile(dir.path))
      .subarray(bytes)
      .every((byte) => byte === 0),
  );
});

test('large commits are appended, without zeros', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const large = recordOf('large', 1000);
  for (let i = 0; i < 3; i++) {
    await log.append(large);
    assert.equal(newestSize(dir.path), log.status().bytes);
  }
  await log.append(recordOf('small'));
  assert.ok(newestSize(dir.path) > log.status().bytes);
  await log.append(recordOf('very large', 10_000));
  assert.equal(newestSize(dir.path), log.status().bytes, 'it covers all zeros');
});

test('zeros do not go beyond the size of a segment', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path, { config: { segment_size: 3000 } });
  for (let i = 0; i < 30; i++) {
    await log.append(recordOf(`r${i}`));
    const before = log.status().bytes;
    assert.ok(newestSize(dir.path) <= Math.max(3000, before));
  }
});

test('a segment that is closed, by its age or with the log, ends with its last frame', async () => {
  using dir = temporaryDir();
  const clock = new ManualClock(FIXTURE_NOW_MS);
  let bytes = 0;
  {
    await using log = await openFixtureLog(dir.path, {
      clock,
      config: { segment_age: 60_000 },
      sealWorker: new IdleSealWorker(1),
    });
    await appendMany(log, 3);
    ({ bytes } = log.status());
    clock.advance(60_000);
    assert.equal(fs.statSync(logFiles(dir.path, 'log')[0] as string).size, bytes);
    await appendMany(log, 2);
    ({ bytes } = log.status());
  }
  const sizes = logFiles(dir.path, 'log').map((file) => fs.statSync(file).size);
  assert.equal(sizes.length, 2);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    bytes,
  );
});

test('zeros that a killed process leaves are neither damage nor a torn tail, for readers and for the next start', async () => {
  using dir = temporaryDir();
  using copy = temporaryDir();
  {
    await using log = await openFixtureLog(dir.path);
    await appendMany(log, 5);
    fs.cpSync(dir.path, copy.path, { recursive: true });
  }
  const damages: Damage[] = [];
  await using reader = openLogReader({ dir: copy.path, onDamage: (damage) => damages.push(damage) });
  assert.equal((await readAll(reader, Infinity)).length, 5);
  const source = openEventSource({ dir: copy.path });
  assert.equal(
    source.blocks(5).reduce((sum, { count }) => sum + count, 0),
    5,
  );
  source.close();
  const words: string[] = [];
  const note = (message: string): void => void words.push(message);
  await using log = await openFixtureLog(copy.path, { logger: { debug() {}, info() {}, warn: note, error: note } });
  assert.equal(newestSize(copy.path), log.status().bytes);
  assert.deepEqual([words, damages, log.status().damages], [[], [], []]);
  assert.equal((await log.append(recordOf('next'))).offset, 5);
  assert.ok(newestSize(copy.path) > log.status().bytes);
  await log.seal();
  assert.equal(log.status().sealedSegments, 1);
});

test('a disk without room for zeros takes records as long as it can, and gets the space of half-written zeros back', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  await using log = await openFixtureLog(dir.path, { files });
  files.freeBytes = 10_000;
  for (let i = 0; i < 5; i++) {
    await log.append(recordOf(`r${i}`));
    assert.equal(newestSize(dir.path), log.status().bytes);
  }
  await assert.rejects(log.append(recordOf('large', 200)), (error) => error instanceof HeliosError && error.code === 'disk_full');
  files.freeBytes = Infinity;
  assert.equal((await log.append(recordOf('again'))).offset, 5);
  await log.seal();
  await log.append(recordOf('next'));
  assert.ok(newestSize(dir.path) > 64 * 1024, 'the next segment tries again');
});

test('a log whose zeros cannot be cut off at its end says so and closes', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  {
    await using log = await openFixtureLog(dir.path, { files, logger });
    await log.append(recordOf('one'));
    files.truncateError = 'EIO';
  }
  assert.deepEqual(warnings, ['cannot trim the newest segment']);
  await using log = await openFixtureLog(dir.path);
  assert.deepEqual([log.committedOffset(), log.status().damages], [1, []]);
});
