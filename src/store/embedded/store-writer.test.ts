import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createNames } from '../../model/event-batch.ts';
import { MAX_ROLLUP_ENDPOINTS } from '../../model/rollup.ts';
import { anomalyOf, changeOf } from '../contract/document-fixture.ts';
import { batchOf, eventAt } from '../contract/event-fixture.ts';
import { HOUR_MS, NO_UPDATE, T0 } from '../contract/store-fixture.ts';
import { COMMIT_FAILURES, COMMITTED_EVENTS, STORE_METRICS } from '../metrics.ts';
import type { Store } from '../store.ts';
import { databasePath } from './database.ts';
import { StoreDir } from './store-fixture.ts';

async function countOf(store: Store, service = 'cart', stepMs = HOUR_MS): Promise<number> {
  const { series } = await store.metrics({ fromMs: T0, toMs: T0 + stepMs, service, names: ['event_count'], stepMs });
  return series[0]?.points[0]?.[1] ?? 0;
}

test('a commit that fails half-way stores nothing of it, and its retry counts every event once', async () => {
  using place = new StoreDir();
  await using writer = await place.openWriter();
  await using store = await place.openStore();
  const names = createNames();
  writer.observe(batchOf(names, [eventAt(T0), eventAt(T0 + 1)]), 0);
  const broken = { ...anomalyOf('a2', T0), startedAt: 'yesterday' };
  const update = { ...NO_UPDATE, changes: [], anomalies: [anomalyOf('a1', T0), broken], checkpoint: Buffer.from('state') };
  await assert.rejects(writer.commit(update, 1), { code: 'invalid_argument' });
  assert.deepEqual([writer.offset(), writer.checkpoint(), await countOf(store)], [0, undefined, 0]);
  assert.equal(await store.get('anomaly', 'a1'), undefined);
  await writer.commit({ ...update, anomalies: [anomalyOf('a1', T0)] }, 1);
  assert.deepEqual([writer.offset(), await countOf(store)], [1, 2]);
});

test('a full disk rejects the commit with disk_full, and the retry loses and doubles nothing', async () => {
  using place = new StoreDir();
  const failures: (string | undefined)[] = [];
  const metrics: Metrics = {
    ...silentMetrics,
    add: (definition, _value, labels) => void (definition === COMMIT_FAILURES && failures.push(labels?.['code'])),
  };
  await using writer = await place.openWriter({ maxBytes: 400_000 }, metrics);
  await using store = await place.openStore();
  writer.observe(batchOf(createNames(), [eventAt(T0)]), 0);
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(writer.commit({ ...NO_UPDATE, checkpoint: randomBytes(500_000) }, 1), { code: 'disk_full' });
  }
  assert.deepEqual([writer.offset(), await countOf(store)], [0, 0]);
  await writer.commit({ ...NO_UPDATE, checkpoint: new Uint8Array(10) }, 1);
  assert.deepEqual([writer.offset(), await countOf(store), failures], [1, 1, ['disk_full', 'disk_full']]);
});

test('two writers on one database: the one that did not see the other commit is refused', async () => {
  using place = new StoreDir();
  await using first = await place.openWriter();
  await using second = await place.openWriter();
  await first.commit(NO_UPDATE, 5);
  await assert.rejects(second.commit({ ...NO_UPDATE, changes: [changeOf('c1', T0)] }, 3), { code: 'conflict' });
  await using store = await place.openStore();
  assert.equal(await store.get('change', 'c1'), undefined);
});

test('a database newer than the program is refused with one clear sentence and left alone', async () => {
  using place = new StoreDir();
  await (await place.openWriter())[Symbol.asyncDispose]();
  place.execute('PRAGMA user_version = 999');
  const refused = { code: 'data_dir_unusable', message: /schema version 999, this program knows up to \d+; use a newer HELIOS/ };
  await assert.rejects(place.openWriter(), refused);
  await assert.rejects(place.openStore(), refused);
  assert.deepEqual(place.lines, []);
});

test('a directory that cannot be made is an unusable data directory', async () => {
  using place = new StoreDir();
  writeFileSync(join(place.dir, 'file'), '');
  await assert.rejects(place.openWriter({ dir: join(place.dir, 'file', 'sub') }), { code: 'data_dir_unusable' });
});

test('a file that is no database is set aside under a name that is logged, and the writer starts at offset 0', async () => {
  using place = new StoreDir();
  writeFileSync(databasePath(place.dir), Buffer.alloc(20_000, 'not a database '));
  await assert.rejects(place.openStore(), { code: 'corrupt_data' });
  await using writer = await place.openWriter();
  assert.equal(writer.offset(), 0);
  assert.deepEqual(place.lines, ['error the database is damaged: set aside, its content is rebuilt from the log']);
  assert.equal(readdirSync(place.dir).filter((file) => file.startsWith('store.db.corrupt-20251008')).length, 1);
});

test('a damaged checkpoint counts as none, and everything else is kept', async () => {
  using place = new StoreDir();
  const writer = await place.openWriter();
  await writer.commit({ ...NO_UPDATE, changes: [changeOf('c1', T0)], checkpoint: randomBytes(100) }, 1);
  await writer[Symbol.asyncDispose]();
  place.execute("UPDATE checkpoint SET payload = CAST(substr(payload, 1, 50) || x'00' || substr(payload, 52) AS BLOB)");
  await using again = await place.openWriter();
  assert.deepEqual([again.offset(), again.checkpoint()], [1, undefined]);
  assert.match(place.lines[0] ?? '', /^error the checkpoint is damaged/);
  await using store = await place.openStore();
  assert.equal((await store.get('change', 'c1'))?.id, 'c1');
});

test('pages that are damaged below the checkpoint are found before the file is in use', async () => {
  using place = new StoreDir();
  const writer = await place.openWriter();
  await writer.commit({ ...NO_UPDATE, checkpoint: randomBytes(400_000) }, 1);
  await writer[Symbol.asyncDispose]();
  const file = readFileSync(databasePath(place.dir));
  file.fill(0xa5, file.length - 300_000);
  writeFileSync(databasePath(place.dir), file);
  await using again = await place.openWriter();
  assert.equal(again.offset(), 0);
  assert.deepEqual(place.lines, ['error the database is damaged: set aside, its content is rebuilt from the log']);
});

test('damage found while running is answered as such, and the next start rebuilds', async () => {
  using place = new StoreDir();
  const writer = await place.openWriter();
  writer.observe(batchOf(createNames(), [eventAt(T0)]), 0);
  await writer.commit(NO_UPDATE, 1);
  const store = await place.openStore();
  place.execute("UPDATE minute_rollup SET data = x'01ff'");
  await assert.rejects(countOf(store), { code: 'corrupt_data' });
  await store[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
  await using rebuilt = await place.openWriter();
  assert.equal(rebuilt.offset(), 0);
  rebuilt.observe(batchOf(createNames(), [eventAt(T0)]), 0);
  await rebuilt.commit(NO_UPDATE, 1);
  await using again = await place.openStore();
  assert.equal(await countOf(again), 1);
});

test('retention gives the room back: the file shrinks', async () => {
  using place = new StoreDir();
  await using writer = await place.openWriter();
  const names = createNames();
  for (let hour = 0; hour < 20; hour++) {
    const metadata = (i: number): object => ({ latency_ms: 1 + ((i * 7919) % 1000), endpoint: `/path/${i % 50}` });
    writer.observe(
      batchOf(
        names,
        Array.from({ length: 2000 }, (_, i) => eventAt(T0 + hour * HOUR_MS + i * 1800, { metadata: { ...metadata(i) } })),
      ),
      hour,
    );
    await writer.commit(NO_UPDATE, hour + 1);
  }
  await writer.retain(T0);
  const before = statSync(databasePath(place.dir)).size;
  await writer.retain(T0 + 18 * HOUR_MS);
  const after = statSync(databasePath(place.dir)).size;
  assert.ok(after < before / 2, `${before} to ${after} bytes`);
  await using store = await place.openStore();
  const kept = await store.services({ fromMs: T0, toMs: T0 + 48 * HOUR_MS });
  assert.deepEqual(
    kept.map(({ service, eventCount }) => [service, eventCount]),
    [['cart', 4000]],
  );
});

test('a finished hour is read from one row', async () => {
  using place = new StoreDir();
  await using writer = await place.openWriter();
  const names = createNames();
  writer.observe(batchOf(names, [eventAt(T0), eventAt(T0 + HOUR_MS / 2), eventAt(T0 + 2 * HOUR_MS)]), 0);
  await writer.commit(NO_UPDATE, 1);
  await writer.commit(NO_UPDATE, 1);
  place.execute(`DELETE FROM minute_rollup WHERE key < ${(T0 / HOUR_MS + 1) * 60 * 2 ** 20}`);
  await using store = await place.openStore();
  const { series } = await store.metrics({ fromMs: T0, toMs: T0 + 24 * HOUR_MS, names: ['event_count'], stepMs: 24 * HOUR_MS });
  assert.deepEqual(series[0]?.points, [[T0, 3]]);
});

test('endpoints of a bucket are counted up to their cap, and names past a table are "other"', async () => {
  using place = new StoreDir();
  await using writer = await place.openWriter();
  const many = Array.from({ length: MAX_ROLLUP_ENDPOINTS + 50 }, (_, i) => eventAt(T0, { metadata: { endpoint: `/e/${i}` } }));
  writer.observe(batchOf(createNames(), many), 0);
  const few = ['a', 'b', 'c'].map((service) => eventAt(T0, { service }));
  writer.observe(batchOf(createNames({ entities: 1 }), few), 1);
  await writer.commit(NO_UPDATE, 2);
  await using store = await place.openStore();
  const { series } = await store.metrics({ fromMs: T0, toMs: T0 + 10_000, names: ['unique_endpoints'], stepMs: 10_000 });
  assert.equal(series.find(({ labels }) => labels.service === 'cart')?.points[0]?.[1], MAX_ROLLUP_ENDPOINTS);
  const services = await store.services({ fromMs: T0, toMs: T0 + 10_000 });
  assert.deepEqual(
    services.map(({ service, eventCount }) => [service, eventCount]),
    [
      ['a', 1],
      ['cart', MAX_ROLLUP_ENDPOINTS + 50],
      ['other', 2],
    ],
  );
});

test('a commit reports its events and its metrics are all defined', async () => {
  using place = new StoreDir();
  const seen = new Set<MetricDefinition>();
  let events = 0;
  const note = (definition: MetricDefinition): void => void seen.add(definition);
  const metrics: Metrics = {
    add(definition, value) {
      note(definition);
      if (definition === COMMITTED_EVENTS) events += value;
    },
    set: note,
    observe: note,
  };
  await using writer = await place.openWriter({}, metrics);
  writer.observe(batchOf(createNames(), [eventAt(T0), eventAt(T0)]), 0);
  await writer.commit(NO_UPDATE, 1);
  await writer.retain(T0 - 1);
  assert.equal(events, 2);
  assert.deepEqual(new Set([...seen, COMMIT_FAILURES]), new Set(STORE_METRICS));
  assert.ok(existsSync(databasePath(place.dir)));
});
