import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { readAll, recordOf } from '../record.fixture.ts';
import { openEventSource } from './event-source.ts';
import { openFixtureLog, temporaryDir } from './log.fixture.ts';
import { SealWorker } from './seal-worker.ts';
import { openLogReader } from './segment-reader.ts';

function metricLine(name: string, at: number): string {
  const head = `{"name":"${name}","kind":"gauge","unit":"1","service":"shop","environment":"prod","namespace":"","labels":{"a":"1"}`;
  return `${head},"points":[[${1.7e12 + at},${at / 8}]]}\n`;
}

test('the event log and the metrics log of one data directory are open at once, and each keeps its own records', async () => {
  using dir = temporaryDir();
  await using events = await openFixtureLog(dir.path);
  await using metrics = await openFixtureLog(dir.path, { name: 'metrics' });
  await Promise.all([events.append(recordOf('event')), metrics.append(recordOf('metric')), metrics.append(recordOf('more'))]);
  assert.deepEqual([events.committedOffset(), metrics.committedOffset()], [1, 2]);
  for (const [name, expected] of [
    ['log', ['event']],
    ['metrics', ['metric', 'more']],
  ] as const) {
    await using reader = openLogReader({ dir: dir.path, name });
    const texts = (await readAll(reader, 10)).map(({ bytes }) => /"message":"(\w+) 0"/.exec(Buffer.from(bytes).toString())?.[1]);
    assert.deepEqual(texts, expected);
  }
  assert.deepEqual(fs.readdirSync(path.join(dir.path, 'metrics')).filter((file) => file.endsWith('.log')).length, 1);
});

for (const name of ['log', 'metrics'] as const) {
  test(`the log named ${name} is open once`, async () => {
    using dir = temporaryDir();
    await using log = await openFixtureLog(dir.path, { name });
    const isLocked = (error: unknown): boolean => error instanceof HeliosError && error.code === 'data_dir_locked';
    await assert.rejects(openFixtureLog(dir.path, { name }), isLocked);
    assert.equal(log.committedOffset(), 0);
  });
}

test('lines of metrics are sealed and come back byte for byte, and their blocks claim to know no entities', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path, { name: 'metrics' });
  const lines = Array.from({ length: 3000 }, (_, i) => metricLine(`series.${i % 100}`, i));
  const bytes = Buffer.from(lines.join(''));
  await log.append(recordOf('', 0, { bytes, count: lines.length }));
  await log.seal();
  assert.equal(log.status().sealedSegments, 1);
  const source = openEventSource({ dir: dir.path, name: 'metrics' });
  const blocks = source.blocks(1);
  assert.deepEqual(
    blocks.map(({ count, entities }) => [count, entities]),
    [[3000, null]],
  );
  assert.deepEqual(Buffer.from(blocks[0]?.read() ?? []), bytes);
  source.close();
});

test('two logs share one sealing thread, and the one that closes first does not stop the other', async () => {
  using dir = temporaryDir();
  const sealWorker = new SealWorker(1);
  try {
    await using events = await openFixtureLog(dir.path, { sealWorker });
    {
      await using metrics = await openFixtureLog(dir.path, { name: 'metrics', sealWorker, config: { segment_size: 1 } });
      for (let i = 0; i < 20; i++) await metrics.append(recordOf(`metric ${i}`, 500));
      await events.append(recordOf('event', 5000));
    }
    await events.seal();
    assert.equal(events.status().sealedSegments, 1);
    await using metrics = await openFixtureLog(dir.path, { name: 'metrics', sealWorker });
    await metrics.seal();
    assert.deepEqual([metrics.status().damages, metrics.status().sealedSegments], [[], metrics.status().segments - 1]);
    await using reader = openLogReader({ dir: dir.path, name: 'metrics' });
    assert.equal((await readAll(reader, 20, 100_000)).length, 20);
  } finally {
    await sealWorker.close();
  }
});
