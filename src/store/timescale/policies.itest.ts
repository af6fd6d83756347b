import assert from 'node:assert/strict';
import { silentLogger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import { insertEvents, refreshAggregates, sampleEvents } from './aggregates.fixture.ts';
import type { Database } from './database.ts';
import { migrateDatabase } from './migrator.ts';
import { policiesOf } from './policies.ts';
import { retain } from './retention.ts';
import { withDatabase } from './test-database.fixture.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse('2025-10-08T00:00:00Z');

async function jobs(database: Database): Promise<Record<string, unknown>[]> {
  const { rows } = await database.query(
    `SELECT job_id, proc_name, config->>'drop_after' AS drop_after FROM timescaledb_information.jobs WHERE proc_name IN ('policy_retention', 'policy_compression', 'policy_refresh_continuous_aggregate') ORDER BY job_id`,
  );
  return rows;
}

async function count(database: Database, table: string): Promise<number> {
  return Number((await database.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.['n']);
}

withDatabase(
  'policies are accepted, stay while nothing changes, and follow the configuration',
  async ({ database, config }, context) => {
    if (database.supports.timescale === null) return context.skip('the server has no timescaledb');
    const before = await jobs(database);
    assert.equal(before.length, policiesOf(config).length);
    await migrateDatabase(database, { config, logger: silentLogger });
    assert.deepEqual(await jobs(database), before);

    await migrateDatabase(database, {
      config: { ...config, event_retention: 7 * DAY_MS, chunk_interval: 6 * HOUR_MS },
      logger: silentLogger,
    });
    const after = await jobs(database);
    assert.equal(after.length, before.length);
    const retention = after.filter(({ proc_name }) => proc_name === 'policy_retention');
    assert.deepEqual(new Set(retention.map(({ drop_after }) => drop_after)), new Set(['168:00:00']));
    const chunks = await database.query(
      `SELECT extract(epoch FROM time_interval) / 3600 AS hours FROM timescaledb_information.dimensions WHERE hypertable_name = 'events'`,
    );
    assert.deepEqual(chunks.rows, [{ hours: 6 }]);
    await migrateDatabase(database, { config, logger: silentLogger });
    assert.equal((await jobs(database)).length, before.length);
  },
);

withDatabase('every retention and every width gets jobs that the server takes', async ({ database, config }, context) => {
  if (database.supports.timescale === null) return context.skip('the server has no timescaledb');
  for (const event_retention of [HOUR_MS, DAY_MS, 3 * DAY_MS, 400 * DAY_MS]) {
    for (const compress_after of [60_000, 2 * DAY_MS]) {
      await migrateDatabase(database, { config: { ...config, event_retention, compress_after }, logger: silentLogger });
    }
  }
  await migrateDatabase(database, { config, logger: silentLogger });
});

withDatabase('keys of metadata are indexed as configured, whatever characters they have', async ({ database, config }) => {
  const names = async (): Promise<number> => {
    const { rows } = await database.query(
      `SELECT 1 FROM pg_indexes WHERE tablename = 'events' AND starts_with(indexname, 'events_metadata_')`,
    );
    return rows.length;
  };
  const keys = ['order_id', `it's a "key" \\ with; everything`];
  for (let i = 0; i < 2; i++) {
    await migrateDatabase(database, { config: { ...config, metadata_indexes: keys }, logger: silentLogger });
    assert.equal(await names(), 2);
  }
  await migrateDatabase(database, { config: { ...config, metadata_indexes: ['order_id'] }, logger: silentLogger });
  assert.equal(await names(), 1);
  await migrateDatabase(database, { config, logger: silentLogger });
  assert.equal(await names(), 0);
});

withDatabase('compressed chunks answer as before, take late rows, and are smaller', async ({ database }, context) => {
  if (database.supports.timescale === null) return context.skip('the server has no timescaledb');
  const events = sampleEvents(createPrng(3), 4000, START_MS, 2 * DAY_MS);
  await insertEvents(database, events);
  const sums = async (): Promise<unknown> =>
    (await database.query('SELECT service, count(*) AS n, sum(log_position) AS positions FROM events GROUP BY 1 ORDER BY 1'))
      .rows;
  const before = await sums();
  const compressed = await database.query(`SELECT compress_chunk(c) AS chunk FROM show_chunks('events') AS s (c)`);
  assert.equal(compressed.rowCount, 2);
  assert.deepEqual(await sums(), before);
  const { rows } = await database.query(
    `SELECT sum(before_compression_total_bytes) AS before, sum(after_compression_total_bytes) AS after FROM chunk_compression_stats('events')`,
  );
  assert.ok(Number(rows[0]?.['after']) < Number(rows[0]?.['before']) / 3);

  await insertEvents(database, sampleEvents(createPrng(4), 100, START_MS, DAY_MS));
  assert.equal(await count(database, 'events'), 4100);
  await refreshAggregates(database);
  const { rows: counted } = await database.query('SELECT sum(event_count) AS n FROM event_metrics_1h');
  const { rows: stored } = await database.query('SELECT sum(weight) AS n FROM events WHERE kind <> 3');
  assert.deepEqual(counted, stored);
});

withDatabase('retention takes what is older, in slices where there are no chunks, and nothing else', async ({ database }) => {
  const events = sampleEvents(createPrng(5), 1000, START_MS, 3 * DAY_MS);
  await insertEvents(database, events);
  await database.query(
    `INSERT INTO metrics (time, series, value) SELECT to_timestamp($1::double precision / 1000) + s * INTERVAL '1 hour', 1, s
      FROM generate_series(0, 71) AS g (s)`,
    [START_MS],
  );
  const beforeMs = START_MS + 2 * DAY_MS;
  const result = await retain(database, beforeMs, { sliceRows: 100 });
  const kept = events.filter(({ timeMs }) => timeMs >= beforeMs).length;
  assert.equal(await count(database, 'events'), kept);
  assert.equal(await count(database, 'metrics'), 24);
  if (database.supports.timescale === null) assert.deepEqual(result, { droppedChunks: 0, deletedRows: 1000 - kept + 48 });
  else assert.deepEqual(result, { droppedChunks: 4, deletedRows: 0 });
  assert.deepEqual(await retain(database, beforeMs), { droppedChunks: 0, deletedRows: 0 });
});

withDatabase(
  'what retention has dropped stays in the aggregates until they are dropped themselves',
  async ({ database }, context) => {
    if (database.supports.timescale === null) return context.skip('the server has no timescaledb');
    await insertEvents(database, sampleEvents(createPrng(6), 500, START_MS, DAY_MS));
    await refreshAggregates(database);
    const before = await database.query('SELECT sum(event_count) AS n FROM event_metrics_1h');
    await retain(database, START_MS + DAY_MS);
    assert.equal(await count(database, 'events'), 0);
    assert.deepEqual((await database.query('SELECT sum(event_count) AS n FROM event_metrics_1h')).rows, before.rows);
  },
);
