import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ManualClock, systemClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';
import { eventLogContract } from '../event-log.contract.ts';
import { keyOf, readAll, recordOf } from '../record.fixture.ts';
import { METRICS } from '../metrics.ts';
import type { EmbeddedLogOptions } from './embedded-log.ts';
import { FIXTURE_NOW_MS, logFiles, openFixtureLog, temporaryDir, TroubledFiles } from './log.fixture.ts';
import { openLogReader } from './segment-reader.ts';

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HeliosError && error.code === code;
}

for (const [name, sync] of [
  ['log', 'sync'],
  ['log', 'async'],
  ['log', 'auto'],
  ['metrics', 'auto'],
] as const) {
  eventLogContract(`embedded log named ${name}, ${sync}`, { wholeRecords: true, retention: true }, async () => {
    const dir = temporaryDir();
    const log = await openFixtureLog(dir.path, { name, config: { sync }, clock: systemClock });
    const close = async (): Promise<void> => {
      await log[Symbol.asyncDispose]();
      dir[Symbol.dispose]();
    };
    return { log, openReader: () => openLogReader({ dir: dir.path, name }), close };
  });
}

eventLogContract('embedded log that rolls with every record', { wholeRecords: true, retention: true }, async () => {
  const dir = temporaryDir();
  const log = await openFixtureLog(dir.path, { config: { segment_size: 1 }, clock: systemClock });
  const close = async (): Promise<void> => {
    await log[Symbol.asyncDispose]();
    dir[Symbol.dispose]();
  };
  return { log, openReader: () => openLogReader({ dir: dir.path }), close };
});

test('everything acknowledged is there after the log is closed and opened again', async () => {
  using dir = temporaryDir();
  const idempotency = { keyHash: keyOf(5), bodyHash: '0011223344556677', answer: '' };
  {
    await using log = await openFixtureLog(dir.path);
    await log.append(recordOf('one', 2));
    await log.append(recordOf('two', 3, { idempotency, receivedAtMs: FIXTURE_NOW_MS }));
  }
  await using log = await openFixtureLog(dir.path);
  assert.equal(log.committedOffset(), 2);
  assert.deepEqual(log.findRequest(keyOf(5)), { bodyHash: '0011223344556677', count: 3, answer: '' });
  assert.deepEqual(await log.append(recordOf('three')), { partition: 0, offset: 2 });
  await using reader = openLogReader({ dir: dir.path });
  const read = await readAll(reader, 3);
  assert.deepEqual(
    read.map(({ count }) => count),
    [2, 3, 1],
  );
});

test('a segment is closed when it is full, and when it is old', async () => {
  using dir = temporaryDir();
  const clock = new ManualClock(FIXTURE_NOW_MS);
  await using log = await openFixtureLog(dir.path, { clock, config: { segment_size: 2000, segment_age: 60_000 } });
  await log.append(recordOf('large', 30));
  assert.equal(log.status().segments, 1);
  await log.append(recordOf('next'));
  assert.equal(log.status().segments, 2);
  clock.advance(61_000);
  assert.equal(log.status().segments, 3);
  clock.advance(600_000);
  assert.equal(log.status().segments, 3, 'an empty segment does not age');
});

test('sealing keeps every record as it was', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path);
  const idempotency = { keyHash: keyOf(9), bodyHash: '8899aabbccddeeff', answer: 'x' };
  const records = [recordOf('a', 100), recordOf('b', 50, { idempotency, clientId: 'other' }), recordOf('c', 0)];
  for (const record of records) await log.append(record);
  await using before = openLogReader({ dir: dir.path });
  await using half = openLogReader({ dir: dir.path });
  assert.equal((await half.read(3, 1))?.length, 1);
  const raw = await readAll(before, 3);
  await log.seal();
  assert.equal(log.status().sealedSegments, 1);
  assert.deepEqual(logFiles(dir.path, 'log').length, 1);
  await using after = openLogReader({ dir: dir.path });
  assert.deepEqual(await readAll(after, 3), raw);
  assert.deepEqual(await readAll(half, 3), raw.slice(1), 'a reader in the middle of the raw file goes on');
  assert.equal(after.seek(1), 1);
  assert.deepEqual(await readAll(after, 3), raw.slice(1));
});

test('idempotency keys come back from sealed segments', async () => {
  using dir = temporaryDir();
  {
    await using log = await openFixtureLog(dir.path);
    for (let i = 0; i < 20; i++) {
      const idempotency = { keyHash: keyOf(i), bodyHash: '0000000000000001', answer: '' };
      await log.append(recordOf(`r${i}`, 1, { idempotency, receivedAtMs: FIXTURE_NOW_MS }));
    }
    await log.seal();
  }
  await using log = await openFixtureLog(dir.path, { idempotency: { windowMs: 1000, maxKeys: 10 } });
  assert.equal(log.findRequest(keyOf(9)), undefined);
  assert.equal(log.findRequest(keyOf(10))?.count, 1);
});

test('a full disk refuses appends, keeps what was acknowledged, and takes appends again', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  await using log = await openFixtureLog(dir.path, { files });
  await log.append(recordOf('before'));
  const size = log.status().bytes;
  for (const free of [0, 1, 72, 200, 5000]) {
    files.freeBytes = free;
    await assert.rejects(log.append(recordOf('large', 100)), hasCode('disk_full'));
    assert.equal(fs.statSync(logFiles(dir.path, 'log')[0] as string).size, size);
  }
  files.freeBytes = Infinity;
  assert.deepEqual(await log.append(recordOf('after')), { partition: 0, offset: 1 });
  await using reader = openLogReader({ dir: dir.path });
  const texts = (await readAll(reader, 2)).map(({ bytes }) => Buffer.from(bytes).toString());
  assert.match(texts[0] as string, /before/);
  assert.match(texts[1] as string, /after/);
});

test('a disk that fills while a segment is started refuses the appends and leaves no half segment', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  await using log = await openFixtureLog(dir.path, { files, config: { segment_size: 1 } });
  await log.append(recordOf('before'));
  files.freeBytes = 10;
  await assert.rejects(log.append(recordOf('x')), hasCode('disk_full'));
  assert.equal(logFiles(dir.path, 'log').length, 1);
  files.freeBytes = Infinity;
  await log.append(recordOf('after'));
  assert.equal(log.committedOffset(), 2);
});

for (const [kind, sync] of [
  ['writeError', 'sync'],
  ['syncError', 'sync'],
  ['syncError', 'async'],
] as const) {
  test(`an input/output error ends the log: ${kind}, ${sync}`, async () => {
    using dir = temporaryDir();
    const files = new TroubledFiles();
    const fatal: Error[] = [];
    await using log = await openFixtureLog(dir.path, { files, config: { sync }, onFatal: (error) => fatal.push(error) });
    await log.append(recordOf('good'));
    files[kind] = 'EIO';
    await assert.rejects(log.append(recordOf('bad')), hasCode('log_unavailable'));
    files[kind] = '';
    await assert.rejects(log.append(recordOf('later')), hasCode('log_unavailable'));
    assert.equal(fatal.length, 1);
    assert.equal(log.committedOffset(), 1);
  });
}

test('a full disk that cannot be cut back to the last good frame ends the log', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  await using log = await openFixtureLog(dir.path, { files });
  await log.append(recordOf('good'));
  files.freeBytes = 10;
  files.truncateError = 'EIO';
  await assert.rejects(log.append(recordOf('bad')), hasCode('log_unavailable'));
});

test('appends beyond the memory bound are refused, and taken again after the commit', async () => {
  using dir = temporaryDir();
  await using log = await openFixtureLog(dir.path, { config: { max_pending: 1000 } });
  const first = log.append(recordOf('large', 100));
  await assert.rejects(log.append(recordOf('small')), hasCode('overloaded'));
  await first;
  await log.append(recordOf('small'));
  assert.equal(log.committedOffset(), 2);
});

test('a closing log commits what it has and refuses the rest', async () => {
  using dir = temporaryDir();
  const log = await openFixtureLog(dir.path);
  const appended = log.append(recordOf('last'));
  const closed = log[Symbol.asyncDispose]();
  await assert.rejects(log.append(recordOf('late')), hasCode('shutting_down'));
  assert.equal((await appended).offset, 0);
  await closed;
});

test('retention frees old segments but none that a reader still needs', async () => {
  using dir = temporaryDir();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  await using log = await openFixtureLog(dir.path, { logger, readers: ['pipeline'], config: { segment_size: 1 } });
  for (let i = 0; i < 4; i++) await log.append(recordOf(`r${i}`, 1, { maxTimestampMs: i * 1000 }));
  await log.seal();
  const all = { maxAgeMs: 0, maxBytes: Infinity };
  assert.equal(await log.retain(all, FIXTURE_NOW_MS), 0);
  assert.equal(await log.retain(all, FIXTURE_NOW_MS), 0);
  assert.deepEqual(warnings, ['keeping a segment past its retention: a reader has not read it']);
  log.acknowledge('pipeline', 2);
  const { bytes } = log.status();
  const freed = await log.retain(all, FIXTURE_NOW_MS);
  assert.ok(freed > 0);
  assert.equal(log.status().bytes, bytes - freed);
  assert.equal(log.status().firstOffset, 2);
  await using reader = openLogReader({ dir: dir.path });
  assert.equal(reader.seek(0), 2);
  assert.deepEqual(
    (await readAll(reader, 4)).map(({ position }) => position.offset),
    [2, 3],
  );
});

test('one data directory is open once, and the refusal names the process', async () => {
  using dir = temporaryDir();
  {
    await using log = await openFixtureLog(dir.path);
    await assert.rejects(
      openFixtureLog(dir.path),
      (error) => hasCode('data_dir_locked')(error) && (error as Error).message.includes(String(process.pid)),
    );
    await log.append(recordOf('still works'));
  }
  await using again = await openFixtureLog(dir.path);
  assert.equal(again.committedOffset(), 1);
});

test('a data directory that is a file is refused with one sentence', async () => {
  using dir = temporaryDir();
  const file = path.join(dir.path, 'file');
  fs.writeFileSync(file, '');
  await assert.rejects(openFixtureLog(file), hasCode('data_dir_unusable'));
});

test('a disk that is full at the start is named, and the lock is given back', async () => {
  using dir = temporaryDir();
  const files = new TroubledFiles();
  files.freeBytes = 0;
  await assert.rejects(openFixtureLog(dir.path, { files }), hasCode('disk_full'));
  await using log = await openFixtureLog(dir.path);
  assert.equal(log.committedOffset(), 0);
});

test('only metrics that are listed are used, and appends are counted', async () => {
  using dir = temporaryDir();
  const seen = new Map<string, number>();
  const note = (definition: MetricDefinition, value: number): void => {
    assert.ok(METRICS.includes(definition));
    seen.set(definition.name, (seen.get(definition.name) ?? 0) + value);
  };
  const metrics: Metrics = { add: note, set: note, observe: note };
  const options: Partial<EmbeddedLogOptions> = { metrics };
  await using log = await openFixtureLog(dir.path, options);
  await log.append(recordOf('a', 7));
  await log.seal();
  assert.equal(seen.get('helios_log_appended_events_total'), 7);
  assert.equal(seen.get('helios_log_sealed_segments_total'), 1);
});
