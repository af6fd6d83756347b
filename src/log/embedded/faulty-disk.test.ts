import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { readAll, recordOf } from '../record.fixture.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { nodeLogFiles, type LogFiles } from './log-files.ts';
import { FIXTURE_NOW_MS, openFixtureLog, systemError, temporaryDir } from './log.fixture.ts';
import { SealWorker } from './seal-worker.ts';
import { openLogReader } from './segment-reader.ts';

/** The real file system without the waiting for the disk, of which one call fails: the `failAt`-th, counted from 1. */
class FailingFiles implements LogFiles {
  calls = 0;
  failed = '';
  readonly #failAt: number;
  readonly #code: string;

  constructor(failAt: number, code: string) {
    this.#failAt = failAt;
    this.#code = code;
  }

  open(path: string): number {
    this.#call('open');
    return nodeLogFiles.open(path);
  }

  close(fd: number): void {
    nodeLogFiles.close(fd);
  }

  /** The write that fails has brought half of the bytes to the file. */
  writev(fd: number, buffers: readonly Uint8Array[], position: number): number {
    const bytes = Buffer.concat(buffers);
    if (this.calls + 1 === this.#failAt) nodeLogFiles.writev(fd, [bytes.subarray(0, bytes.length >> 1)], position);
    this.#call('writev');
    return nodeLogFiles.writev(fd, [bytes], position);
  }

  truncate(fd: number, length: number): void {
    this.#call('truncate');
    nodeLogFiles.truncate(fd, length);
  }

  syncData(): void {
    this.#call('syncData');
  }

  async syncDataAsync(): Promise<void> {
    this.#call('syncDataAsync');
  }

  syncDirectory(): void {
    this.#call('syncDirectory');
  }

  unlink(path: string): void {
    nodeLogFiles.unlink(path);
  }

  #call(name: string): void {
    if (++this.calls !== this.#failAt) return;
    this.failed = name;
    throw systemError(this.#code);
  }
}

/** Sealing is not what fails here. */
class IdleSealWorker extends SealWorker {
  override seal(): Promise<null> {
    return Promise.resolve(null);
  }
}

const SEGMENT_AGE_MS = 60_000;

interface Outcome {
  acknowledged: string[];
  refused: string[];
  fatal: number;
}

/** Appends pairs of records, each pair in a segment of its own that is closed by its age, zeros and all, or by its size. */
async function appendPairs(log: EmbeddedLog, outcome: Outcome, clock: ManualClock): Promise<void> {
  for (let round = 0; round < 4; round++) {
    clock.advance(SEGMENT_AGE_MS);
    const names = [`a${round}`, `b${round}`];
    const settled = await Promise.allSettled(names.map((name) => log.append(recordOf(name, 2))));
    for (const [i, result] of settled.entries()) {
      const name = names[i] as string;
      if (result.status === 'fulfilled') outcome.acknowledged.push(name);
      else {
        assert.ok(result.reason instanceof HeliosError, String(result.reason));
        outcome.refused.push(name);
      }
    }
  }
}

async function run(dir: string, files: LogFiles, sync: 'sync' | 'async', segmentSize: number): Promise<Outcome> {
  const outcome: Outcome = { acknowledged: [], refused: [], fatal: 0 };
  const onFatal = (): void => void outcome.fatal++;
  const config = { segment_size: segmentSize, segment_age: SEGMENT_AGE_MS, sync };
  const clock = new ManualClock(FIXTURE_NOW_MS);
  let log: EmbeddedLog;
  try {
    log = await openFixtureLog(dir, { files, config, clock, onFatal, sealWorker: new IdleSealWorker(1) });
  } catch (error) {
    assert.ok(error instanceof HeliosError, String(error));
    return outcome;
  }
  try {
    await appendPairs(log, outcome, clock);
  } finally {
    await log[Symbol.asyncDispose]();
  }
  return outcome;
}

async function storedNames(dir: string): Promise<string[]> {
  const healthy = new FailingFiles(Infinity, '');
  await using log = await openFixtureLog(dir, { files: healthy, sealWorker: new IdleSealWorker(1) });
  assert.deepEqual(log.status().damages, []);
  const next = log.committedOffset();
  await log.append(recordOf('after'));
  await using reader = openLogReader({ dir });
  const read = await readAll(reader, log.committedOffset());
  assert.deepEqual(
    read.map(({ position }) => position.offset),
    Array.from({ length: next + 1 }, (_, i) => i),
  );
  return read.map(({ bytes, count }) => {
    const name = /"message":"(\w+) 0"/.exec(Buffer.from(bytes).toString())?.[1] ?? '';
    assert.deepEqual(bytes, recordOf(name, count).bytes);
    return name;
  });
}

for (const [code, sync, segmentSize] of [
  ['EIO', 'sync', 300],
  ['EIO', 'async', 300],
  ['ENOSPC', 'sync', 300],
  ['ENOSPC', 'async', 300],
  ['EIO', 'sync', 10_000],
  ['ENOSPC', 'async', 10_000],
] as const) {
  const variant = `${sync}, ${segmentSize > 300 ? 'with' : 'without'} zeros`;
  test(`whichever call fails with ${code}, what was acknowledged is there once and the log goes on (${variant})`, async () => {
    const kinds = new Set<string>();
    for (let failAt = 1; ; failAt++) {
      using dir = temporaryDir();
      const files = new FailingFiles(failAt, code);
      const { acknowledged, refused, fatal } = await run(dir.path, files, sync, segmentSize);
      if (files.failed === '') break;
      kinds.add(files.failed);
      const label = `call ${failAt}, ${files.failed}`;
      const stored = await storedNames(dir.path);
      assert.equal(stored.pop(), 'after', label);
      assert.deepEqual(stored, [...new Set(stored)], `${label}: nothing twice`);
      for (const name of acknowledged) assert.ok(stored.includes(name), `${label}: ${name} was acknowledged`);
      // A disk that failed is not trusted again: what it has kept of the records that it refused is served after a restart.
      if (fatal === 0) for (const name of refused) assert.ok(!stored.includes(name), `${label}: ${name} was refused`);
      if (code === 'ENOSPC' && refused.length > 0)
        assert.ok(acknowledged.length + 2 === 8, `${label}: only one commit is refused`);
      assert.ok(fatal <= 1, label);
    }
    const expected = ['open', 'truncate', 'writev', 'syncData', 'syncDirectory', ...(sync === 'async' ? ['syncDataAsync'] : [])];
    for (const kind of expected) assert.ok(kinds.has(kind), `${kind} never failed`);
  });
}

test('a disk that takes a few bytes a call stores every record whole', async () => {
  using dir = temporaryDir();
  const files = new FailingFiles(Infinity, '');
  const whole = files.writev.bind(files);
  files.writev = (fd, buffers, position) => whole(fd, [Buffer.concat(buffers).subarray(0, 7)], position);
  const { acknowledged } = await run(dir.path, files, 'sync', 10_000);
  assert.equal(acknowledged.length, 8);
  assert.deepEqual(await storedNames(dir.path), [...acknowledged, 'after']);
  assert.ok(fs.readdirSync(dir.path).length > 0);
});
