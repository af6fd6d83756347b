import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { readAll, recordOf } from '../record.fixture.ts';
import { logFiles, openFixtureLog, temporaryDir } from './log.fixture.ts';
import { openLogReader } from './segment-reader.ts';

/** A closed log of one sealed record a file, the last one raw. */
async function writeSegments(dir: string, count: number): Promise<void> {
  await using log = await openFixtureLog(dir, { config: { segment_size: 1 } });
  for (let i = 0; i < count - 1; i++) await log.append(recordOf(`record ${i}`));
  await log.seal();
  await log.append(recordOf('the last'));
}

async function offsetsIn(dir: string, committed: number): Promise<number[]> {
  await using reader = openLogReader({ dir });
  return (await readAll(reader, committed)).map(({ position }) => position.offset);
}

test('a file that is gone from the middle is named by the records that it held, and the rest is served', async () => {
  using dir = temporaryDir();
  await writeSegments(dir.path, 4);
  const [, gone, next] = logFiles(dir.path, 'sealed') as [string, string, string];
  fs.unlinkSync(gone);
  await using log = await openFixtureLog(dir.path);
  const reason = 'records 1 to 1 before it are missing';
  assert.deepEqual(log.status().damages, [{ file: next, fromByte: 0, toByte: 0, reason }]);
  assert.deepEqual(await offsetsIn(dir.path, 4), [0, 2, 3]);
});

test('a log that lost its end goes on after the offset that its reader had reached', async () => {
  for (const lose of [(file: string) => fs.unlinkSync(file), (file: string) => fs.truncateSync(file, 60)]) {
    using dir = temporaryDir();
    await writeSegments(dir.path, 3);
    const [last] = logFiles(dir.path, 'log') as [string];
    lose(last);
    for (const start of ['first', 'second']) {
      await using log = await openFixtureLog(dir.path, { expectedOffset: 7 });
      assert.equal(log.committedOffset(), 7, start);
      assert.match(log.status().damages[0]?.reason ?? '', /^records 2 to 6 (are missing at the end|before it are missing)$/);
    }
    await using log = await openFixtureLog(dir.path, { expectedOffset: 7 });
    assert.equal((await log.append(recordOf('new'))).offset, 7);
    assert.deepEqual(await offsetsIn(dir.path, 8), [0, 1, 7]);
    await log.seal();
    assert.deepEqual(await offsetsIn(dir.path, 8), [0, 1, 7]);
  }
});

test('a log that ends where its reader stands, or after, has lost nothing', async () => {
  using dir = temporaryDir();
  await writeSegments(dir.path, 3);
  for (const expectedOffset of [0, 2, 3]) {
    await using log = await openFixtureLog(dir.path, { expectedOffset });
    assert.deepEqual([log.committedOffset(), log.status().damages], [3, []]);
  }
});

test('a newest file of garbage is named and left as it is', async () => {
  using dir = temporaryDir();
  await writeSegments(dir.path, 3);
  const [last] = logFiles(dir.path, 'log') as [string];
  const garbage = Buffer.alloc(500, 0xab);
  fs.writeFileSync(last, garbage);
  await using log = await openFixtureLog(dir.path);
  assert.deepEqual(
    log.status().damages.map(({ file }) => file),
    [last],
  );
  const { offset } = await log.append(recordOf('new'));
  assert.deepEqual(await offsetsIn(dir.path, offset + 1), [0, 1, offset]);
  assert.deepEqual(fs.readFileSync(last), garbage);
});
