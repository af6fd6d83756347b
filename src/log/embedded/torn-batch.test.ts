import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { silentLogger } from '../../lib/logger.ts';
import { keyOf, readAll, recordOf } from '../record.fixture.ts';
import { nodeLogFiles } from './log-files.ts';
import { FIXTURE_NOW_MS, logFiles, openFixtureLog, temporaryDir } from './log.fixture.ts';
import { recoverSegments, type Recovered } from './recovery.ts';
import { SEGMENT_HEADER_BYTES } from './segment-file.ts';
import { openLogReader } from './segment-reader.ts';

const FIRST = ['one', 'two'];
const BATCH = ['three', 'four', 'five'];

/** A raw segment of two commits; returns where the frames of the second one end, and where it begins. */
async function writeTwoCommits(dir: string): Promise<{ begin: number; ends: number[] }> {
  await using log = await openFixtureLog(dir);
  await Promise.all(FIRST.map((name) => log.append(recordOf(name))));
  const begin = log.status().bytes;
  await Promise.all(BATCH.map((name) => log.append(recordOf(name))));
  const size = log.status().bytes;
  const frameBytes = BATCH.map((name) => recordOf(name).bytes.length);
  const head = (size - begin - frameBytes.reduce((sum, bytes) => sum + bytes, 0)) / BATCH.length;
  let end = begin;
  return { begin, ends: frameBytes.map((bytes) => (end += head + bytes)) };
}

/** Zeros that were written ahead of the batch. */
const AHEAD = Buffer.alloc(5000);

/** What is left when the disk kept only the first `size` bytes: nothing behind them, zeros, or what was there before. */
const LEFTOVERS: Record<string, (whole: Buffer, size: number) => Buffer> = {
  'the end is missing': (whole, size) => whole.subarray(0, size),
  'the end reads as zeros': (whole, size) => Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size)]),
  'the end is noise': (whole, size) => Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size, 0xa7)]),
  'zeros were written ahead': (whole, size) => Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size), AHEAD]),
  'noise before zeros written ahead': (whole, size) =>
    Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size, 0xff), AHEAD]),
};

function recover(file: string, expectedOffset = 0): Recovered {
  return recoverSegments({
    directory: path.dirname(file),
    files: { ...nodeLogFiles, syncData() {} },
    logger: silentLogger,
    maxKeys: 0,
    onKey() {},
    expectKeys() {},
    nowMs: FIXTURE_NOW_MS,
    expectedOffset,
  });
}

for (const [name, leave] of Object.entries(LEFTOVERS)) {
  test(`a batch torn at any byte keeps the records before it and loses nothing else: ${name}`, async () => {
    using dir = temporaryDir();
    const { begin, ends } = await writeTwoCommits(dir.path);
    const [file] = logFiles(dir.path, 'log') as [string];
    const whole = fs.readFileSync(file);
    assert.equal(ends.at(-1), whole.length);
    for (let size = begin; size < whole.length; size++) {
      fs.writeFileSync(file, leave(whole, size));
      const { segments, damages } = recover(file);
      const kept = FIRST.length + ends.filter((end) => end <= size).length;
      assert.deepEqual([segments[0]?.nextOffset, damages], [kept, []], `torn at ${size}`);
      assert.equal(
        fs.statSync(file).size,
        [begin, ...ends].findLast((end) => end <= size),
        `torn at ${size}`,
      );
    }
  });
}

test('a log goes on behind a torn batch, and what it takes then is read', async () => {
  for (const cut of [0, 1, 60, 150, 300]) {
    using dir = temporaryDir();
    const { begin } = await writeTwoCommits(dir.path);
    const [file] = logFiles(dir.path, 'log') as [string];
    fs.truncateSync(file, begin + cut);
    await using log = await openFixtureLog(dir.path);
    const { offset } = await log.append(recordOf('again'));
    await using reader = openLogReader({ dir: dir.path });
    const texts = (await readAll(reader, offset + 1)).map(
      ({ bytes }) => /"message":"(\w+)/.exec(Buffer.from(bytes).toString())?.[1],
    );
    assert.deepEqual(texts, [...FIRST, ...BATCH.slice(0, offset - FIRST.length), 'again']);
  }
});

/** A copy of `whole` of which the disk did not write [from, to), with zeros ahead of it. */
function withHole(whole: Buffer, from: number, to: number, fill: number): Buffer {
  return Buffer.concat([Buffer.from(whole).fill(fill, from, to), AHEAD]);
}

for (const fill of [0, 0xa7]) {
  test(`a hole of ${fill} anywhere in the last batch ends the log there, and is no damage`, async () => {
    using dir = temporaryDir();
    const { begin, ends } = await writeTwoCommits(dir.path);
    const [file] = logFiles(dir.path, 'log') as [string];
    const whole = fs.readFileSync(file);
    for (let from = begin; from < whole.length; from += 7) {
      for (const size of [1, 64, 256]) {
        const torn = withHole(whole, from, Math.min(whole.length, from + size), fill);
        fs.writeFileSync(file, torn);
        const { segments, damages } = recover(file);
        const firstBad = whole.findIndex((byte, i) => torn[i] !== byte);
        const kept = firstBad < 0 ? BATCH.length : ends.filter((end) => end <= firstBad).length;
        const label = `${size} bytes at ${from}`;
        assert.deepEqual([segments[0]?.nextOffset, damages], [FIRST.length + kept, []], label);
        assert.equal(segments[0]?.bytes, [begin, ...ends][kept], label);
        assert.equal(fs.statSync(file).size, [begin, ...ends][kept], label);
      }
    }
  });
}

test('two holes in the last batch end the log at the first one', async () => {
  using dir = temporaryDir();
  const { begin } = await writeTwoCommits(dir.path);
  const [file] = logFiles(dir.path, 'log') as [string];
  const whole = fs.readFileSync(file);
  fs.writeFileSync(file, withHole(whole.fill(0, begin, begin + 90), begin + 250, begin + 300, 0));
  const { segments, damages } = recover(file);
  assert.deepEqual([segments[0]?.nextOffset, damages, fs.statSync(file).size], [FIRST.length, [], begin]);
});

test('a hole that reaches into a batch with another one behind it is damage, and what follows is served', async () => {
  using dir = temporaryDir();
  const { begin, ends } = await writeTwoCommits(dir.path);
  const [file] = logFiles(dir.path, 'log') as [string];
  const whole = fs.readFileSync(file);
  for (const [from, to] of [
    [SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 1],
    [begin - 1, begin],
    [begin - 1, begin + 1],
  ] as const) {
    fs.writeFileSync(file, withHole(whole, from, to, 0xa7));
    const { segments, damages } = recover(file);
    assert.deepEqual([segments[0]?.nextOffset, segments[0]?.damaged, damages.length], [5, true, 1], `at ${from}`);
    assert.equal(fs.statSync(file).size, ends.at(-1), 'the zeros go all the same');
  }
});

test('a hole in the last batch is damage when a reader has stored a record behind its beginning', async () => {
  using dir = temporaryDir();
  const { begin } = await writeTwoCommits(dir.path);
  const [file] = logFiles(dir.path, 'log') as [string];
  const torn = withHole(fs.readFileSync(file), begin, begin + 9, 0);
  fs.writeFileSync(file, torn);
  assert.equal(recover(file, FIRST.length + 1).damages.length, 1);
  fs.writeFileSync(file, torn);
  assert.equal(recover(file, FIRST.length).damages.length, 0);
});

test('the keys of a batch with a hole are not known: the requests may be sent again', async () => {
  using dir = temporaryDir();
  const keyed = (number: number) =>
    recordOf(`r${number}`, 1, {
      receivedAtMs: FIXTURE_NOW_MS,
      idempotency: { keyHash: keyOf(number), bodyHash: '0'.repeat(16), answer: '' },
    });
  let begin = 0;
  {
    await using log = await openFixtureLog(dir.path);
    await log.append(keyed(1));
    begin = log.status().bytes;
    await Promise.all([2, 3].map((number) => log.append(keyed(number))));
  }
  const [file] = logFiles(dir.path, 'log') as [string];
  fs.writeFileSync(file, withHole(fs.readFileSync(file), begin, begin + 9, 0));
  await using log = await openFixtureLog(dir.path);
  assert.deepEqual(
    [1, 2, 3].map((number) => log.findRequest(keyOf(number))?.count),
    [1, undefined, undefined],
  );
  assert.equal((await log.append(keyed(3))).offset, 1);
});
