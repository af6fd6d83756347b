import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { silentLogger } from '../../lib/logger.ts';
import { readAll, recordOf } from '../record.fixture.ts';
import { nodeLogFiles } from './log-files.ts';
import { FIXTURE_NOW_MS, logFiles, openFixtureLog, temporaryDir } from './log.fixture.ts';
import { recoverSegments } from './recovery.ts';
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

/** What is left when the disk kept only the first `size` bytes: nothing behind them, zeros, or what was there before. */
const LEFTOVERS: Record<string, (whole: Buffer, size: number) => Buffer> = {
  'the end is missing': (whole, size) => whole.subarray(0, size),
  'the end reads as zeros': (whole, size) => Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size)]),
  'the end is noise': (whole, size) => Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size, 0xa7)]),
};

for (const [name, leave] of Object.entries(LEFTOVERS)) {
  test(`a batch torn at any byte keeps the records before it and loses nothing else: ${name}`, async () => {
    using dir = temporaryDir();
    const { begin, ends } = await writeTwoCommits(dir.path);
    const [file] = logFiles(dir.path, 'log') as [string];
    const whole = fs.readFileSync(file);
    assert.equal(ends.at(-1), whole.length);
    const files = { ...nodeLogFiles, syncData() {} };
    for (let size = begin; size < whole.length; size++) {
      fs.writeFileSync(file, leave(whole, size));
      const { segments, damages } = recoverSegments({
        directory: path.dirname(file),
        files,
        logger: silentLogger,
        maxKeys: 0,
        onKey() {},
        expectKeys() {},
        nowMs: FIXTURE_NOW_MS,
      });
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
