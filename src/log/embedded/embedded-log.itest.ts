import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { readAll, recordOf } from '../record.fixture.ts';
import { openFixtureLog, temporaryDir } from './log.fixture.ts';
import { openLogReader } from './segment-reader.ts';

/** Runs a writer until it has acknowledged `count` records more, calls `meanwhile`, kills it; returns what it acknowledged. */
async function writeAndKill(dir: string, count: number, meanwhile: (writer: ChildProcess) => Promise<void>): Promise<number[]> {
  const program = path.join(import.meta.dirname, 'log-writer.fixture.ts');
  const writer = spawn(process.execPath, [program, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  const lines = createInterface({ input: writer.stdout });
  lines.on('line', (line) => acknowledged.push(Number(line)));
  await new Promise<void>((resolve, reject) => {
    lines.on('line', () => {
      if (acknowledged.length >= count) resolve();
    });
    writer.on('exit', () => reject(new Error('the writer ended by itself')));
  });
  await meanwhile(writer);
  const closed = once(lines, 'close');
  writer.kill('SIGKILL');
  await closed;
  return acknowledged;
}

test('a log is locked while another process has it open, and free as soon as that is killed; nothing acknowledged is lost', async () => {
  using dir = temporaryDir();
  const acknowledged = new Set<number>();
  for (let round = 0; round < 5; round++) {
    const offsets = await writeAndKill(dir.path, 300 + 200 * round, async ({ pid }) => {
      await assert.rejects(
        openFixtureLog(dir.path),
        (error) => error instanceof HeliosError && error.code === 'data_dir_locked' && error.message.includes(`process ${pid}`),
      );
    });
    for (const offset of offsets) acknowledged.add(offset);
    await using log = await openFixtureLog(dir.path);
    assert.deepEqual(log.status().damages, []);
    await using reader = openLogReader({ dir: dir.path });
    const read = await readAll(reader, log.committedOffset(), 100_000);
    assert.deepEqual(
      read.map(({ position }) => position.offset),
      Array.from({ length: log.committedOffset() }, (_, i) => i),
      'every record once, in order',
    );
    for (const offset of acknowledged) assert.ok(offset < read.length, `${offset} was acknowledged`);
    for (const { position, bytes, count } of read) {
      assert.deepEqual(bytes, recordOf(`record ${position.offset}`, count).bytes);
    }
  }
  await using log = await openFixtureLog(dir.path);
  await log.seal();
  assert.ok(log.status().sealedSegments > 1);
  await using reader = openLogReader({ dir: dir.path });
  assert.equal((await readAll(reader, log.committedOffset(), 100_000)).length, log.committedOffset());
});
