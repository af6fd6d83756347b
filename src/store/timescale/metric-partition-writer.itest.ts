import assert from 'node:assert/strict';
import { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Sent } from '../contract/metric-fixture.ts';
import { randomRecord, T0 } from '../contract/metric-fixture.ts';
import { METRIC_STORE } from '../metrics.ts';
import type { Database } from './database.ts';
import { METRIC_PARTITION, MetricPlace } from './metric-store.fixture.ts';
import { readProgress } from './progress.ts';
import { withDatabase } from './test-database.fixture.ts';

/** Like the database, but the answer to a transaction's end may be lost, whichever end it was. */
function withLostAnswers(database: Database, isLost: () => boolean): Database {
  return {
    query: (sql, values) => database.query(sql, values),
    withSession: (work) => database.withSession(work),
    supports: database.supports,
    listen: (channel, onNotice) => database.listen(channel, onNotice),
    inspect: () => database.inspect(),
    async transaction(work) {
      const result = await database.transaction(work);
      if (isLost()) throw new HeliosError('unavailable', 'cannot query the database: connection lost');
      return result;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function one(name: string, time: number, value: number): Sent {
  return { series: { name }, points: [[time, value]] };
}

withDatabase('a writer whose partition another has claimed stores nothing any more', async (place) => {
  const metrics = new MetricPlace(place);
  const fixture = await metrics.start();
  fixture.feed(one('a', T0, 1));
  await fixture.commit();
  fixture.feed(one('a', T0 + 1000, 2));
  const next = await metrics.openWriter({ owner: 'other' });
  assert.equal(next.offset(), 1);
  await assert.rejects(fixture.commit(), { code: 'conflict' });
  await assert.rejects(fixture.writer.retain(T0 + 5000), { code: 'conflict' });
  assert.deepEqual(await fixture.raw(), { a: [[T0, 1]] });
  next.observe(fixture.scan([one('a', T0 + 1000, 3)]), 1);
  await next.commit(2);
  await assert.rejects(fixture.commit(), { code: 'conflict' });
  assert.deepEqual(await fixture.raw(), {
    a: [
      [T0, 1],
      [T0 + 1000, 3],
    ],
  });
  assert.deepEqual(await readProgress(place.database, METRIC_PARTITION), { nextOffset: 2, epoch: 2 });
});

withDatabase(
  'a commit that is under way when the partition is claimed is either stored before the claim or not at all',
  async (place) => {
    const metrics = new MetricPlace(place);
    for (let round = 0; round < 10; round++) {
      const fixture = await metrics.start();
      const before = fixture.writer.offset();
      fixture.writer.observe(fixture.scan([one('a', T0 + round, round)]), before);
      const [commit, claim] = await Promise.allSettled([fixture.writer.commit(before + 1), metrics.openWriter()]);
      assert.equal(claim.status, 'fulfilled');
      const stored = (await fixture.raw())['a']?.some(([time]) => time === T0 + round) ?? false;
      assert.equal(stored, commit.status === 'fulfilled');
      assert.equal(claim.value.offset(), stored ? before + 1 : before);
    }
  },
);

withDatabase('writers of several partitions store at once, also series that they have in common', async (place) => {
  const connections = await Promise.all([0, 1, 2].map(() => place.connect()));
  const prng = createPrng(3);
  const sums = await Promise.all(
    connections.map(async (database, partition) => {
      const metrics = new MetricPlace({ database });
      const fixture = await metrics.start({ partition });
      for (let step = 0; step < 20; step++) {
        fixture.feed(...randomRecord(prng, step), one('common', T0 + step * 10 + partition, step));
        await fixture.commit();
      }
      return metrics.sums[METRIC_STORE.points.name] ?? 0;
    }),
  );
  const fixture = await new MetricPlace(place).start({ partition: 9 });
  assert.equal((await fixture.raw())['common']?.length, 60);
  assert.equal((await fixture.store.series({ limit: 100 })).items.filter(({ name }) => name === 'common').length, 1);
  assert.ok(sums.every((sum) => sum >= 20));
  for (const database of connections) await database[Symbol.asyncDispose]();
});

withDatabase(
  'a commit whose answer is lost is stored once, whether more is observed before the next try or not',
  async (place) => {
    const prng = createPrng(11);
    let lost = 0;
    const database = withLostAnswers(place.database, () => prng.below(3) === 0 && lost++ >= 0);
    const metrics = new MetricPlace({ database });
    const fixture = await metrics.start();
    for (let step = 0; step < 60; step++) {
      fixture.feed(...randomRecord(prng, step));
      await fixture.commit();
    }
    assert.ok(lost > 5);
    assert.equal(metrics.lines.filter((line) => line === 'warn a commit of points was stored although it failed').length, lost);
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
    assert.equal((await readProgress(place.database, METRIC_PARTITION))?.nextOffset, 60);
  },
);

withDatabase('a commit that fails is tried again with what has come since', async (place) => {
  const metrics = new MetricPlace(place);
  const fixture = await metrics.start();
  fixture.feed(one('a', T0, 1));
  await fixture.commit();
  await place.database.query('ALTER TABLE metrics RENAME TO away');
  fixture.feed(one('a', T0 + 1000, 2), one('b', T0, 1));
  await assert.rejects(fixture.commit(), HeliosError);
  fixture.feed(one('b', T0, 3));
  await place.database.query('ALTER TABLE away RENAME TO metrics');
  await fixture.commit();
  assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
  assert.equal(metrics.sums[METRIC_STORE.commitFailures.name], 1);
});

withDatabase(
  'points of series beyond the cap are dropped, counted and warned of once, and taken when there is room again',
  async (place) => {
    const metrics = new MetricPlace(place);
    const fixture = await metrics.start({ maxSeries: 2 });
    for (let at = 0; at < 3; at++) {
      fixture.feed(one('a', T0 + at, 1), one('b', T0 + at, 1), one('c', T0 + 50_000 + at, 1), one('d', T0 + at, 1));
      await fixture.commit();
    }
    assert.deepEqual(Object.keys(await fixture.raw()), ['a', 'b']);
    assert.equal(metrics.sums[METRIC_STORE.droppedPoints.name], 6);
    assert.equal(metrics.sums[METRIC_STORE.points.name], 6);
    assert.equal(metrics.lines.length, 1);
    await fixture.writer.retain(T0 + 10_000);
    fixture.feed(one('c', T0 + 60_000, 1));
    await fixture.commit();
    assert.deepEqual(await fixture.raw(), { c: [[T0 + 60_000, 1]] });
  },
);

withDatabase(
  'retention leaves series of other partitions alone, and a series that somebody else removed is made anew',
  async (place) => {
    const metrics = new MetricPlace(place);
    const fixture = await metrics.start();
    const other = await metrics.start({ partition: 1 });
    fixture.feed(one('a', T0, 1));
    other.feed(one('b', T0, 1));
    await fixture.commit();
    await other.commit();
    await fixture.writer.retain(T0 + 1000);
    assert.deepEqual(
      (await fixture.store.series({ limit: 9 })).items.map(({ name }) => name),
      ['b'],
    );
    await place.database.query('DELETE FROM metric_series');
    other.feed(one('b', T0 + 100_000, 2));
    await assert.rejects(other.commit(), { code: 'unavailable' });
    await other.commit();
    assert.deepEqual(await other.raw(), { b: [[T0 + 100_000, 2]] });
    const [b] = (await other.store.series({ limit: 9 })).items;
    assert.equal(b?.firstSeen, new Date(T0 + 100_000).toISOString());
  },
);

withDatabase('texts that the database cannot hold are stored with a replacement, and filters find them', async (place) => {
  const fixture = await new MetricPlace(place).start();
  const labels = { 'a\0b': 'x\0y', half: '\ud800' };
  const batch = { ...fixture.scan([one('a', T0, 1)]), heads: [] as never[] };
  const [, head] = fixture.scan([one('a', T0, 1)]).heads;
  assert.ok(head);
  fixture.writer.observe({ ...batch, heads: [head, { ...head, labels }] }, 0);
  await fixture.writer.commit(1);
  const [found] = (await fixture.store.series({ labels, limit: 1 })).items;
  assert.deepEqual(found?.labels, { 'a\ufffdb': 'x\ufffdy', half: '\ufffd' });
  assert.deepEqual((await fixture.store.series({ names: ['\0'], service: '\0', limit: 1 })).items, []);
});

withDatabase('a query that would have to read too many points is refused and names the field', async (place) => {
  const fixture = await new MetricPlace(place).start({ maxReadPoints: 10 });
  for (let at = 0; at < 4; at++) fixture.feed(one('a', T0 + at, 1), one('b', T0 + at, 1), one('c', T0 + at, 1));
  await fixture.commit();
  await assert.rejects(fixture.raw(), { code: 'invalid_argument', details: { field: 'from' } });
  assert.deepEqual(Object.keys(await fixture.raw(T0, T0 + 3)), ['a', 'b', 'c']);
  await assert.rejects(fixture.store.points({ fromMs: 0, toMs: T0, step: 10_000 }), {
    code: 'invalid_argument',
    details: { field: 'step' },
  });
});

withDatabase('points that several queries read come back whole and in order', async (place) => {
  const fixture = await new MetricPlace(place).start({ slicePoints: 25 });
  const counts = { e: 10, d: 15, c: 1, b: 60, a: 24 };
  for (const [name, count] of Object.entries(counts)) {
    fixture.feed({ series: { name }, points: Array.from({ length: count }, (_, i) => [T0 + i * 10, i]) });
  }
  await fixture.commit();
  const raw = await fixture.raw();
  assert.deepEqual(raw, fixture.expectedRaw());
  assert.deepEqual(Object.keys(raw), ['a', 'b', 'c', 'd', 'e']);
});

withDatabase(
  'late points replace those in compressed chunks, however many the server would unpack, and reads see all',
  async (place) => {
    const metrics = new MetricPlace(place);
    const fixture = await metrics.start();
    const points = Array.from({ length: 2500 }, (_, i): [number, number] => [T0 + i * 1000, i]);
    for (const name of ['a', 'b']) fixture.feed({ series: { name }, points });
    await fixture.commit();
    const chunks = await place.database.query(`SELECT compress_chunk(chunk) FROM show_chunks('metrics') AS chunk`);
    assert.equal(chunks.rowCount, 1);
    await place.database.query('SET timescaledb.max_tuples_decompressed_per_dml_transaction = 1');
    fixture.feed({ series: { name: 'a' }, points: points.filter((_, i) => i % 3 === 0).map(([time]) => [time, -1]) });
    await fixture.commit();
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
    fixture.feed(one('a', T0 + 90_000_000, 1));
    await fixture.commit();
    await fixture.writer.retain(T0 + 3_000_000);
    assert.deepEqual(Object.keys(await fixture.raw()), ['a']);
    await place.database.query('RESET timescaledb.max_tuples_decompressed_per_dml_transaction');
  },
  { engines: ['pglite'] },
);

withDatabase('a writer is full at the configured number of points, until they are committed', async (place) => {
  const fixture = await new MetricPlace(place).start({ config: { batch_rows: 2 } });
  fixture.feed(one('a', T0, 1));
  assert.equal(fixture.writer.isFull(), false);
  fixture.feed(one('a', T0 + 1, 1));
  assert.equal(fixture.writer.isFull(), true);
  await fixture.commit();
  assert.equal(fixture.writer.isFull(), false);
});
