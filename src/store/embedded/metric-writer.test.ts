import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { MetricFixture } from '../contract/metric-fixture.ts';
import { T0 } from '../contract/metric-fixture.ts';
import { METRIC_STORE } from '../metrics.ts';
import { readCommittedOffset } from './committed-offset.ts';
import { databasePath, METRIC_DATABASE } from './database.ts';
import { MetricStoreDir } from './metric-store-fixture.ts';

/** One record with a point of each of `series` series. */
function feedAll(fixture: MetricFixture, series: number, at: number, value = at): void {
  fixture.feed(
    ...Array.from({ length: series }, (_, i) => ({
      series: { name: `m${i}` },
      points: [[T0 + at * 1000, value]] as [number, number][],
    })),
  ); // one line each
}

for (const blockTails of [1000, 1]) {
  test(`a commit that fails half-way stores nothing of it, and its retry every point once (a block after ${blockTails} commits)`, async () => {
    using place = new MetricStoreDir();
    const fixture = await place.start({ blockTails });
    feedAll(fixture, 3, 0);
    await fixture.commit();
    place.execute("CREATE TRIGGER refuse BEFORE UPDATE ON progress BEGIN SELECT RAISE(ABORT, 'no'); END");
    feedAll(fixture, 5, 1);
    await assert.rejects(fixture.commit(), /no/);
    await assert.rejects(fixture.commit(), /no/);
    assert.deepEqual([fixture.writer.offset(), Object.keys(await fixture.raw())], [1, ['m0', 'm1', 'm2']]);
    place.execute('DROP TRIGGER refuse');
    feedAll(fixture, 5, 2);
    await fixture.commit();
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
    await fixture.restart();
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
    await fixture.stop();
  });
}

test('a full disk rejects the commit with disk_full, and later commits lose and double nothing', async () => {
  using place = new MetricStoreDir();
  const failures: (string | undefined)[] = [];
  const metrics: Metrics = {
    ...silentMetrics,
    add: (definition, _value, labels) => void (definition === METRIC_STORE.commitFailures && failures.push(labels?.['code'])),
  };
  const first = await place.start({ maxBytes: 150_000, metrics });
  const prng = createPrng(1);
  let at = 0;
  await assert.rejects(
    async () => {
      for (; at < 1000; at++) {
        feedAll(first, 200, at, prng.next());
        await first.commit();
      }
    },
    { code: 'disk_full' },
  );
  await assert.rejects(first.commit(), { code: 'disk_full' });
  assert.deepEqual([first.writer.offset(), failures], [at, ['disk_full', 'disk_full']]);
  await first.stop();
  const second = await place.start();
  for (const [offset, record] of first.log.entries()) second.writer.observe(second.scan(record), offset);
  await second.writer.commit(first.log.length);
  assert.deepEqual(await second.raw(), first.expectedRaw());
  await second.stop();
});

test('two writers on one database: the one that did not see the other commit is refused', async () => {
  using place = new MetricStoreDir();
  const first = await place.start();
  const second = await place.start();
  feedAll(first, 1, 0);
  await first.commit();
  feedAll(second, 1, 1);
  await assert.rejects(second.commit(), { code: 'conflict' });
  assert.deepEqual(await first.raw(), first.expectedRaw());
  await first.stop();
  await second.stop();
});

test('points of series past the limit are dropped and counted, and said once; retention makes room', async () => {
  using place = new MetricStoreDir();
  let dropped = 0;
  const metrics: Metrics = {
    ...silentMetrics,
    add: (definition, value) => void (dropped += definition === METRIC_STORE.droppedPoints ? value : 0),
  };
  const fixture = await place.start({ config: { max_series: 3 }, metrics, blockTails: 1 });
  feedAll(fixture, 5, 0);
  await fixture.commit();
  feedAll(fixture, 5, 1);
  await fixture.commit();
  assert.deepEqual([dropped, Object.keys(await fixture.raw())], [4, ['m0', 'm1', 'm2']]);
  assert.equal(place.lines.filter((line) => line.startsWith('warn points of new metric series are dropped')).length, 1);
  await fixture.writer.retain(T0 + 10_000);
  fixture.feed({ series: { name: 'new' }, points: [[T0 + 20_000, 1]] });
  await fixture.commit();
  assert.deepEqual(await fixture.raw(), { new: [[T0 + 20_000, 1]] });
  await fixture.stop();
});

test('small blocks become large ones, a slice with each commit and also over restarts, and lose nothing', async () => {
  using place = new MetricStoreDir();
  const fixture = await place.start({ blockTails: 1, mergePoints: 1 });
  let restarts = 0;
  for (let at = 0; at < 40; at++) {
    feedAll(fixture, at % 3 === 0 ? 700 : 5, at);
    await fixture.commit();
    const isMerging = place.rows('SELECT 1 FROM block WHERE merging_into IS NOT NULL').length > 0;
    if (!isMerging || at % 3 !== 0) continue;
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
    await fixture.restart();
    restarts++;
  }
  assert.ok(restarts > 0);
  const expected = fixture.expectedRaw();
  assert.deepEqual(await fixture.raw(), expected);
  for (let i = 0; i < 60; i++) await fixture.commit();
  assert.deepEqual(await fixture.raw(), expected);
  const blocks = place.rows('SELECT points, chunks, tier FROM block');
  assert.ok(blocks.length <= 10, `${blocks.length} blocks`);
  assert.ok(blocks.some(({ tier }) => (tier as number) >= 2));
  const chunks = place.rows('SELECT count(*) AS chunks FROM chunk')[0]?.['chunks'];
  assert.equal(
    blocks.reduce((sum, block) => sum + (block['chunks'] as number), 0),
    chunks,
  );
  await fixture.stop();
});

test('retention gives the room back: the file shrinks', async () => {
  using place = new MetricStoreDir();
  const fixture = await place.start({ blockTails: 1 });
  const prng = createPrng(2);
  for (let hour = 0; hour < 20; hour++) {
    const points = (): [number, number][] => Array.from({ length: 100 }, (_, i) => [T0 + hour * 3_600_000 + i, prng.next()]);
    fixture.feed(...Array.from({ length: 20 }, (_, i) => ({ series: { name: `m${i}` }, points: points() })));
    await fixture.commit();
  }
  await fixture.writer.retain(T0);
  const before = statSync(databasePath(place.dir, METRIC_DATABASE)).size;
  await fixture.writer.retain(T0 + 16 * 3_600_000);
  const after = statSync(databasePath(place.dir, METRIC_DATABASE)).size;
  assert.ok(after < before / 2, `${before} to ${after} bytes`);
  await fixture.stop();
});

test('a file that is no database is set aside under a name that is logged, and the writer starts at offset 0', async () => {
  using place = new MetricStoreDir();
  writeFileSync(databasePath(place.dir, METRIC_DATABASE), Buffer.alloc(20_000, 'not a database '));
  const fixture = await place.start();
  assert.equal(fixture.writer.offset(), 0);
  assert.deepEqual(place.lines, ['error the database is damaged: set aside, its content is rebuilt from the log']);
  assert.equal(readdirSync(place.dir).filter((file) => file.startsWith('metrics.db.corrupt-20251008')).length, 1);
  await fixture.stop();
});

test('damage in a tail is found at the start, damage in a chunk when it is read, and the next start rebuilds', async () => {
  using place = new MetricStoreDir();
  const fixture = await place.start();
  feedAll(fixture, 2, 0);
  await fixture.commit();
  assert.equal(readCommittedOffset(place.dir, METRIC_DATABASE), 1);
  await fixture.stop();
  place.execute("UPDATE tail SET data = CAST(substr(data, 1, 9) || x'00' || substr(data, 11) AS BLOB)");
  const again = await place.start({ blockTails: 1 });
  assert.equal(again.writer.offset(), 0);
  feedAll(again, 2, 0);
  await again.commit();
  place.execute("UPDATE chunk SET data = x'ffffffff'");
  await assert.rejects(again.raw(), { code: 'corrupt_data' });
  await again.stop();
  const rebuilt = await place.start();
  assert.equal(rebuilt.writer.offset(), 0);
  assert.deepEqual(
    place.lines.map((line) => line.slice(0, 37)),
    [
      'error the database is damaged: set as',
      'error the database of metrics is damag',
      'error the database is damaged: set as',
    ].map((line) => line.slice(0, 37)),
  );
  await rebuilt.stop();
});

test('a query that would have to read too many points is refused and names the field', async () => {
  using place = new MetricStoreDir();
  const fixture = await place.start({ blockTails: 1, maxReadPoints: 500 });
  for (let at = 0; at < 3; at++) {
    feedAll(fixture, 4, at);
    await fixture.commit();
  }
  await assert.rejects(fixture.raw(), { code: 'invalid_argument', details: { field: 'from' } });
  assert.equal((await fixture.values('m1', T0, T0 + 10_000))?.[0], 1);
  await fixture.stop();
});

test('points wait for a commit no longer than memory lasts, and every measurement is made', async () => {
  using place = new MetricStoreDir();
  const seen = new Set<MetricDefinition>();
  const note = (definition: MetricDefinition): void => void seen.add(definition);
  const fixture = await place.start({
    blockPoints: 10,
    config: { max_series: 8 },
    metrics: { add: note, set: note, observe: note },
  });
  feedAll(fixture, 6, 0);
  assert.equal(fixture.writer.isFull(), false);
  feedAll(fixture, 9, 1);
  assert.equal(fixture.writer.isFull(), true);
  await fixture.commit();
  assert.equal(fixture.writer.isFull(), false);
  assert.deepEqual(new Set([...seen, METRIC_STORE.commitFailures]), new Set(Object.values(METRIC_STORE)));
  await fixture.stop();
});
