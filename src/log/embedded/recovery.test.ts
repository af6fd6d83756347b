import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import type { Damage } from '../event-log.ts';
import { keyOf, readAll, recordOf } from '../record.fixture.ts';
import { openEventSource } from './event-source.ts';
import { logFiles, openFixtureLog, temporaryDir } from './log.fixture.ts';
import { SEGMENT_HEADER_BYTES } from './segment-file.ts';
import { openLogReader } from './segment-reader.ts';

/** A closed log of the given records in `dir`; returns where each frame ends in the one raw file. */
async function writeLog(dir: string, names: string[]): Promise<number[]> {
  await using log = await openFixtureLog(dir);
  const ends: number[] = [];
  for (const name of names) {
    await log.append(recordOf(name, 1, { idempotency: { keyHash: keyOf(1), bodyHash: '0'.repeat(16), answer: '{}' } }));
    ends.push(log.status().bytes);
  }
  return ends;
}

async function offsetsIn(dir: string, committed: number, onDamage?: (damage: Damage) => void): Promise<number[]> {
  await using reader = openLogReader({ dir, ...(onDamage && { onDamage }) });
  return (await readAll(reader, committed)).map(({ position }) => position.offset);
}

test('a tail torn at any byte of the last frame is cut, and nothing before it', async () => {
  using dir = temporaryDir();
  const ends = await writeLog(dir.path, ['one', 'two', 'three']);
  const [file] = logFiles(dir.path, 'log') as [string];
  const whole = fs.readFileSync(file);
  for (let size = ends[1] as number; size < (ends[2] as number); size++) {
    fs.writeFileSync(file, whole.subarray(0, size));
    await using log = await openFixtureLog(dir.path);
    assert.equal(log.committedOffset(), 2);
    assert.equal(fs.statSync(file).size, ends[1], `torn at ${size}`);
    assert.deepEqual(log.status().damages, []);
  }
  await using log = await openFixtureLog(dir.path);
  assert.equal((await log.append(recordOf('again'))).offset, 2);
  assert.deepEqual(await offsetsIn(dir.path, 3), [0, 1, 2]);
});

test('garbage after the last frame is cut', async () => {
  using dir = temporaryDir();
  const ends = await writeLog(dir.path, ['one']);
  const [file] = logFiles(dir.path, 'log') as [string];
  fs.appendFileSync(file, Buffer.alloc(500, 0xff));
  await using log = await openFixtureLog(dir.path);
  assert.equal(log.committedOffset(), 1);
  assert.equal(fs.statSync(file).size, ends[0]);
});

test('a flipped byte anywhere in the middle sets that frame aside, names it, and serves the rest', async () => {
  using dir = temporaryDir();
  const [start, end] = (await writeLog(dir.path, ['one', 'two', 'three'])) as [number, number];
  const [file] = logFiles(dir.path, 'log') as [string];
  const whole = fs.readFileSync(file);
  for (let at = start; at < end; at += 5) {
    const broken = Buffer.from(whole);
    broken[at] = (broken[at] as number) ^ 0x40;
    fs.writeFileSync(file, broken);
    {
      await using log = await openFixtureLog(dir.path);
      const reason = 'no valid frame before offset 2';
      assert.deepEqual(log.status().damages, [{ file, fromByte: start, toByte: end, reason }]);
      assert.equal((await log.append(recordOf('four'))).offset, 3);
      const named: Damage[] = [];
      assert.deepEqual(await offsetsIn(dir.path, 4, (damage) => named.push(damage)), [0, 2, 3]);
      assert.deepEqual(named, log.status().damages);
    }
    for (const extra of logFiles(dir.path, 'log').slice(1)) fs.unlinkSync(extra);
  }
});

test('a damaged segment is not sealed: the evidence stays', async () => {
  using dir = temporaryDir();
  const [start] = (await writeLog(dir.path, ['one', 'two', 'three'])) as [number];
  const [file] = logFiles(dir.path, 'log') as [string];
  const broken = fs.readFileSync(file);
  broken[start + 100] = (broken[start + 100] as number) ^ 1;
  fs.writeFileSync(file, broken);
  await using log = await openFixtureLog(dir.path);
  await log.append(recordOf('four'));
  await log.seal();
  assert.equal(log.status().sealedSegments, 1);
  assert.deepEqual(fs.readFileSync(file), broken);
});

test('damage at the end of a segment that is not the newest is named, not cut', async () => {
  using dir = temporaryDir();
  {
    await using log = await openFixtureLog(dir.path, { config: { segment_size: 1 } });
    await log.append(recordOf('one'));
    await log.append(recordOf('two'));
  }
  const [sealedOrRaw] = [...logFiles(dir.path, 'log'), ...logFiles(dir.path, 'sealed')].filter((name) => name.includes('0000.'));
  fs.truncateSync(sealedOrRaw as string, fs.statSync(sealedOrRaw as string).size - 5);
  await using log = await openFixtureLog(dir.path);
  assert.equal(log.status().damages.length, 1);
  assert.equal(log.committedOffset(), 2);
  assert.ok((await offsetsIn(dir.path, 2)).includes(1));
});

for (const size of [0, 7, SEGMENT_HEADER_BYTES - 1, SEGMENT_HEADER_BYTES]) {
  test(`a segment of which a crash left ${size} bytes goes on at the offset that its name says`, async () => {
    using dir = temporaryDir();
    {
      await using log = await openFixtureLog(dir.path, { config: { segment_size: 1 } });
      await log.append(recordOf('one', 4));
      await log.append(recordOf('two'));
    }
    const newest = logFiles(dir.path, 'log').at(-1) as string;
    fs.truncateSync(newest, size);
    await using log = await openFixtureLog(dir.path);
    assert.equal(log.committedOffset(), 1);
    assert.deepEqual(log.status().damages, []);
    assert.equal((await log.append(recordOf('again'))).offset, 1);
    assert.deepEqual(await offsetsIn(dir.path, 2), [0, 1]);
    const source = openEventSource({ dir: dir.path });
    assert.deepEqual(
      source.blocks(2).map(({ firstEvent }) => firstEvent),
      [0, 4],
    );
    source.close();
  });
}

test('a damaged segment header is named and its frames are served', async () => {
  using dir = temporaryDir();
  await writeLog(dir.path, ['one', 'two']);
  const [file] = logFiles(dir.path, 'log') as [string];
  const broken = fs.readFileSync(file);
  broken[20] = 0x55;
  fs.writeFileSync(file, broken);
  await using log = await openFixtureLog(dir.path);
  assert.deepEqual(log.status().damages, [{ file, fromByte: 0, toByte: 40, reason: 'the segment header is damaged' }]);
  assert.deepEqual(await offsetsIn(dir.path, 2), [0, 1]);
});

test('a segment of a newer format is refused', async () => {
  using dir = temporaryDir();
  await writeLog(dir.path, ['one']);
  const [file] = logFiles(dir.path, 'log') as [string];
  const newer = fs.readFileSync(file);
  newer[8] = 99;
  fs.writeFileSync(file, newer);
  await assert.rejects(openFixtureLog(dir.path), /cannot read .*log format 99/);
});

test('what a crash while sealing leaves is removed: half-made files, and the raw form beside the sealed one', async () => {
  using dir = temporaryDir();
  await writeLog(dir.path, ['one', 'two']);
  const [file] = logFiles(dir.path, 'log') as [string];
  const raw = fs.readFileSync(file);
  {
    await using log = await openFixtureLog(dir.path);
    await log.seal();
  }
  fs.writeFileSync(file, raw);
  fs.writeFileSync(file.replace('.log', '.tmp'), 'half');
  await using log = await openFixtureLog(dir.path);
  assert.equal(fs.existsSync(file), false);
  assert.deepEqual(logFiles(dir.path, 'tmp'), []);
  assert.equal(log.status().sealedSegments, 1);
  assert.deepEqual(await offsetsIn(dir.path, 2), [0, 1]);
});

test('of a raw segment and a sealed one that is damaged the raw one is kept', async () => {
  using dir = temporaryDir();
  await writeLog(dir.path, ['one', 'two']);
  const [file] = logFiles(dir.path, 'log') as [string];
  const sealed = file.replace('.log', '.sealed');
  fs.writeFileSync(sealed, 'not a segment, but long enough to be looked at');
  await using log = await openFixtureLog(dir.path);
  assert.equal(fs.existsSync(sealed), false);
  assert.equal(log.committedOffset(), 2);
  assert.deepEqual(log.status().damages, []);
});

async function sealedLog(dir: string): Promise<string> {
  await using log = await openFixtureLog(dir);
  // Three blocks: each record has more events than half a block.
  for (const name of ['one', 'two', 'three']) await log.append(recordOf(name, 5000));
  await log.seal();
  return logFiles(dir, 'sealed')[0] as string;
}

test('a sealed segment whose index is damaged or cut off is read by its blocks', async () => {
  using dir = temporaryDir();
  const file = await sealedLog(dir.path);
  const whole = fs.readFileSync(file);
  fs.writeFileSync(file, whole.subarray(0, whole.length - 3));
  {
    await using log = await openFixtureLog(dir.path);
    assert.equal(log.status().damages.length, 1);
    assert.deepEqual(await offsetsIn(dir.path, 3), [0, 1, 2]);
  }
  fs.writeFileSync(file, whole.subarray(0, whole.length * 0.6));
  await using log = await openFixtureLog(dir.path);
  const left = await offsetsIn(dir.path, 3);
  assert.ok(left.length >= 1 && left.length < 3);
  assert.ok(log.status().damages.length > 0);
});

test('a damaged block of a sealed segment is named when it is read, and the others are served', async () => {
  using dir = temporaryDir();
  const file = await sealedLog(dir.path);
  const source = openEventSource({ dir: dir.path });
  const bytes = fs.readFileSync(file);
  const third = Math.floor(bytes.length / 2);
  bytes[third] = (bytes[third] as number) ^ 1;
  fs.writeFileSync(file, bytes);
  const named: Damage[] = [];
  assert.deepEqual(await offsetsIn(dir.path, 3, (damage) => named.push(damage)), [0, 2]);
  assert.equal(named.length, 1);
  assert.ok((named[0] as Damage).fromByte < third && third < (named[0] as Damage).toByte);
  const sizes = source.blocks(3).map((block) => block.read().length);
  assert.equal(sizes.filter((size) => size === 0).length, 1);
  source.close();
});

test('a segment that cannot be sealed stays raw and is sealed with the next one', async () => {
  using dir = temporaryDir();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  await using log = await openFixtureLog(dir.path, { logger });
  await log.append(recordOf('one'));
  const [file] = logFiles(dir.path, 'log') as [string];
  // A directory in the way of the temporary file.
  fs.mkdirSync(file.replace('.log', '.tmp'));
  await log.seal();
  assert.equal(warnings.length, 1);
  assert.equal(log.status().sealedSegments, 0);
  assert.deepEqual(await offsetsIn(dir.path, 1), [0]);
  fs.rmdirSync(file.replace('.log', '.tmp'));
  await log.append(recordOf('two'));
  await log.seal();
  assert.equal(log.status().sealedSegments, 2);
  assert.deepEqual(await offsetsIn(dir.path, 2), [0, 1]);
});
