import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { recordOf } from '../record.fixture.ts';
import { openFixtureLog, temporaryDir } from './log.fixture.ts';
import { SealWorker } from './seal-worker.ts';

/** A worker that seals nothing for the log that writes the segments. */
class IdleSealWorker extends SealWorker {
  override seal(): Promise<null> {
    return Promise.resolve(null);
  }
}

test('a cancelled segment is as it was, and the same thread seals it when it is asked again', async () => {
  using dir = temporaryDir();
  const sealWorker = new IdleSealWorker(1);
  await using log = await openFixtureLog(dir.path, { sealWorker, config: { segment_size: 1 } });
  for (let i = 0; i < 4; i++) await log.append(recordOf(`event ${i}`, 20_000));
  const folder = path.join(dir.path, 'log');
  const [raw] = readdirSync(folder)
    .filter((file) => file.endsWith('.log'))
    .toSorted();
  const file = path.join(folder, raw as string);
  const worker = new SealWorker(19);
  const sealing = worker.seal(file);
  await worker.cancel(file);
  assert.equal(await sealing, null);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
  const answer = await worker.seal(file);
  assert.ok(answer && 'sealed' in answer && answer.sealed, JSON.stringify(answer));
  await worker.close();
});
