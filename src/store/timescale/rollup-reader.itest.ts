import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import { createNames } from '../../model/event-batch.ts';
import type { FixtureEvent } from '../contract/event-fixture.ts';
import { batchOf, eventAt, randomEvents, rowOf } from '../contract/event-fixture.ts';
import { oracleValues } from '../contract/metrics-oracle.ts';
import { HOUR_MS, NO_UPDATE, T0 } from '../contract/store-fixture.ts';
import type { Store } from '../store.ts';
import type { PartitionWriter } from './partition-writer.ts';
import { snapshot } from './snapshot.ts';
import { withDatabase } from './test-database.fixture.ts';
import { openTestStore, openSoundWriter } from './timescale-store.fixture.ts';

const DAY_MS = 24 * HOUR_MS;
/** Start of the day of T0. */
const DAY0 = T0 - 10 * HOUR_MS;

async function feed(writer: PartitionWriter, events: readonly FixtureEvent[]): Promise<void> {
  const offset = writer.offset();
  writer.observe(batchOf(createNames(), events), offset);
  await writer.commit(NO_UPDATE, offset + 1);
}

/** Counts and p95 of every entity and bucket against the events themselves. */
async function check(store: Store, events: readonly FixtureEvent[], fromMs: number, toMs: number, stepMs: number): Promise<void> {
  const names = ['event_count', 'p95_latency', 'unique_endpoints'] as const;
  const { series } = await store.metrics({ fromMs, toMs, stepMs, names: [...names] });
  const rows = Map.groupBy(events.map(rowOf), ({ entity }) => entity);
  assert.equal(series.length, rows.size * names.length);
  for (const { name, labels, points } of series) {
    for (const [ms, value] of points) {
      const expected = oracleValues(rows.get(labels.service) ?? [], ms, stepMs)[name as (typeof names)[number]];
      const where = `${name} of ${labels.service} at ${new Date(ms).toISOString()} by ${stepMs}: ${value} for ${expected}`;
      if (value === null || expected === null) assert.equal(value, expected, where);
      else assert.ok(Math.abs(value - expected) <= (name === 'p95_latency' ? 0.016 * expected : 0), where);
    }
  }
}

withDatabase('a stream that came by several partitions is one, whatever periods of it are summed up', async (test) => {
  const prng = createPrng(11);
  const writers = [await openSoundWriter(test, 0), await openSoundWriter(test, 7)];
  const store = await openTestStore(test);
  const events: FixtureEvent[] = [];
  for (let day = 0; day < 4; day++) {
    for (const writer of writers) {
      const some = randomEvents(prng, 100, DAY0 + day * DAY_MS, DAY0 + (day + 1) * DAY_MS);
      events.push(...some);
      await feed(writer, some);
      for (let i = 0; i < 3; i++) await writer.commit(NO_UPDATE, writer.offset());
    }
  }
  // An hour and a day of one partition are open again, those of the other are not.
  const late = eventAt(DAY0 + DAY_MS + 5 * HOUR_MS + 70_000, { metadata: { latency_ms: 5000, endpoint: '/late' } });
  await feed(writers[1] as PartitionWriter, [late]);
  events.push(late);
  const { rows } = await test.database.query('SELECT count(*) AS days FROM day_rollups');
  assert.ok(Number(rows[0]?.['days']) > 8, 'days are summed up');

  await check(store, events, DAY0, DAY0 + 4 * DAY_MS, 4 * DAY_MS);
  await check(store, events, DAY0 + 7 * HOUR_MS + 130_000, DAY0 + 7 * HOUR_MS + 130_000 + 3 * DAY_MS, 3 * DAY_MS);
  await check(store, events, DAY0, DAY0 + 4 * DAY_MS, DAY_MS);
  await check(store, events, DAY0, DAY0 + 4 * DAY_MS, 7 * HOUR_MS);
  await check(store, events, DAY0 + DAY_MS, DAY0 + 2 * DAY_MS, 90 * 60_000);
  await check(store, events, DAY0 + DAY_MS, DAY0 + 2 * DAY_MS, 3_610_000);
});

withDatabase('what is summed up is read from its own row, not from the shorter periods', async (test) => {
  const writer = await openSoundWriter(test);
  const store = await openTestStore(test);
  await feed(writer, [eventAt(DAY0 + 1000), eventAt(DAY0 + 5 * HOUR_MS)]);
  await feed(writer, [eventAt(DAY0 + DAY_MS + 1000), eventAt(DAY0 + 2 * DAY_MS + 1000)]);
  for (let i = 0; i < 4; i++) await writer.commit(NO_UPDATE, writer.offset());
  await test.database.query('DELETE FROM minute_rollups WHERE period < $1', [(DAY0 + DAY_MS) / 60_000 - 600]);
  await test.database.query('DELETE FROM hour_rollups WHERE period < $1', [(DAY0 + DAY_MS) / HOUR_MS]);
  // The rows of the first day are gone; one of its minutes is left for the store to know where time begins.
  await test.database.query('INSERT INTO minute_rollups SELECT $1, stream, log_partition, data FROM minute_rollups LIMIT 1', [
    DAY0 / 60_000,
  ]);
  const { series } = await store.metrics({ fromMs: DAY0, toMs: DAY0 + DAY_MS, names: ['event_count'], stepMs: DAY_MS });
  assert.equal(series[0]?.points[0]?.[1], 2);
});

withDatabase(
  'a read whose connection is lost is made again on another one, once',
  async ({ database }) => {
    let runs = 0;
    const pids = await snapshot(database, async (session) => {
      const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
      if (++runs === 1) await session.query('SELECT pg_terminate_backend(pg_backend_pid())');
      return rows;
    });
    assert.deepEqual([runs, pids.length], [2, 1]);
    runs = 0;
    const lost = snapshot(database, async (session) => {
      runs++;
      return session.query('SELECT pg_terminate_backend(pg_backend_pid())');
    });
    await assert.rejects(lost, { code: 'unavailable' });
    assert.equal(runs, 2);
  },
  { engines: ['postgres'] },
);

withDatabase(
  'every part of an answer is of one snapshot',
  async (test) => {
    const writer = await openSoundWriter(test);
    const counts = await snapshot(test.database, async (session) => {
      const count = async (): Promise<unknown> => (await session.query('SELECT count(*) AS n FROM events')).rows[0]?.['n'];
      const before = await count();
      await feed(writer, [eventAt(T0)]);
      return [before, await count()];
    });
    assert.deepEqual(counts, [0, 0]);
  },
  { engines: ['postgres'] },
);
