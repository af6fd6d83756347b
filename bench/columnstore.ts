/**
 * The columnstore and the rollups of TimescaleDB: `node bench/columnstore.ts [EVENTS]`. Stores a day of events of 200 bytes through the
 * writer's own rows, compresses it, and asks the five-minute rollup and the rows for the same dashboard. In this process
 * (TimescaleDB 2.23 in WebAssembly, two gigabytes for a million events), or in a database of its own on the TimescaleDB that
 * HELIOS_TEST_POSTGRES names. Prints one line of JSON: bytes an event, medians in milliseconds.
 */
import { systemClock } from '../src/lib/clock.ts';
import { createPrng } from '../src/lib/prng.ts';
import { createNames } from '../src/model/event-batch.ts';
import { createJsonScanner } from '../src/model/json-scanner.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import { refreshAggregates } from '../src/store/timescale/aggregates.fixture.ts';
import type { Database } from '../src/store/timescale/database.ts';
import { EventCopy } from '../src/store/timescale/event-copy.ts';
import { openTestDatabase, testEngines } from '../src/store/timescale/test-database.fixture.ts';
import { sampleRecords } from './sample-events.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2025, 9, 8);
const PER_RECORD = 100;
const RECORDS_PER_COMMIT = 200;
const RUNS = 7;

/** The day: what load generators post, its times spread over 24 hours with a peak in the afternoon. */
async function storeDay(database: Database, events: number): Promise<number> {
  const scanner = createJsonScanner(createNames());
  const prng = createPrng(2);
  const copy = new EventCopy(0);
  const count = events / PER_RECORD;
  let bytes = 0;
  let at = START_MS;
  const store = (): Promise<void> => database.transaction((session) => copy.store(session, false));
  for (let first = 0; first < count; first += RECORDS_PER_COMMIT) {
    const records = sampleRecords(Math.min(RECORDS_PER_COMMIT, count - first) * PER_RECORD, PER_RECORD, 1 + first);
    for (const [index, record] of records.entries()) {
      bytes += record.bytes.length;
      const { batch } = scanner.scan(record.bytes, NO_LIMITS);
      const load = 1 - 0.6 * Math.cos((2 * Math.PI * (at - START_MS)) / DAY_MS);
      for (let i = 0; i < batch.count; i++) {
        at = Math.min(START_MS + DAY_MS - 1, at + (DAY_MS / events / load) * prng.exponential() * 0.8);
        batch.timestamp[i] = Math.round(at);
      }
      copy.observe(batch, first + index);
    }
    await store();
    copy.clear();
  }
  return bytes;
}

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startMs = systemClock.monotonicMs();
    await work();
    times.push(systemClock.monotonicMs() - startMs);
  }
  return Math.round((times.sort((a, b) => a - b)[RUNS >> 1] as number) * 10) / 10;
}

/** What a panel of throughput, errors and mean latency asks for, and one of the 95th percentile: a day in steps of five minutes, by service. */
const RANGE = [START_MS / 1000, (START_MS + DAY_MS) / 1000];
const WHERE = 'BETWEEN to_timestamp($1::double precision) AND to_timestamp($2::double precision)';
const QUERIES = {
  rollup: `SELECT bucket, service, sum(event_count) AS events, sum(error_count)::double precision / sum(event_count) AS error_rate,
      sum(latency_sum) / sum(latency_count) AS avg_latency
    FROM event_metrics_5m WHERE bucket ${WHERE} AND NOT is_log GROUP BY 1, 2 ORDER BY 1, 2`,
  rows: `SELECT date_bin('5 minutes', time, 'epoch') AS bucket, service, count(*) AS events,
      count(*) FILTER (WHERE level >= 4)::double precision / count(*) AS error_rate, avg(latency_ms) AS avg_latency
    FROM events WHERE time ${WHERE} AND kind NOT IN (1, 3) GROUP BY 1, 2 ORDER BY 1, 2`,
  rollup_p95: `SELECT * FROM event_percentiles(0.95, INTERVAL '5 minutes', to_timestamp($1::double precision), to_timestamp($2::double precision))`,
  rows_p95: `SELECT date_bin('5 minutes', time, 'epoch') AS bucket, service, percentile_disc(0.95) WITHIN GROUP (ORDER BY latency_ms)
    FROM events WHERE time ${WHERE} AND kind NOT IN (1, 3) GROUP BY 1, 2 ORDER BY 1, 2`,
  rollup_p95_day: `SELECT event_percentile(0.95, to_timestamp($1::double precision), to_timestamp($2::double precision))`,
  rows_p95_day: `SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM events WHERE time ${WHERE} AND kind NOT IN (1, 3)`,
} as const;

async function timeQueries(database: Database, names: readonly (keyof typeof QUERIES)[]): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const name of names) result[name] = await medianMs(() => database.query(QUERIES[name], RANGE));
  return result;
}

async function numberOf(database: Database, sql: string): Promise<number> {
  return Number((await database.query(sql)).rows[0]?.['n']);
}

const events = Number(process.argv[2] ?? 500_000);
const engine = testEngines().at(-1) as 'pglite' | 'postgres';
await using server = await openTestDatabase(engine);
const { database } = server;
if (database.supports.timescale === null) throw new Error('HELIOS_TEST_POSTGRES names no TimescaleDB');
const posted = await storeDay(database, events);
await database.query('ANALYZE events');
const heap = await numberOf(
  database,
  `SELECT sum(before) AS n FROM (SELECT pg_total_relation_size(c) AS before FROM show_chunks('events') AS s (c)) AS t`,
);
const uncompressed = await timeQueries(database, ['rows', 'rows_p95', 'rows_p95_day']);
await refreshAggregates(database);
const rollups = await timeQueries(database, ['rollup', 'rollup_p95', 'rollup_p95_day']);
const compressMs = systemClock.monotonicMs();
await database.query(`SELECT compress_chunk(c) FROM show_chunks('events') AS s (c)`);
const compressSeconds = (systemClock.monotonicMs() - compressMs) / 1000;
const stored = await numberOf(database, `SELECT hypertable_size('events') AS n`);
const compressed = await timeQueries(database, ['rows', 'rows_p95', 'rows_p95_day']);
process.stdout.write(
  `${JSON.stringify({
    engine: `${engine}, timescaledb ${database.supports.timescale}`,
    events,
    posted_bytes: Math.round((posted / events) * 10) / 10,
    table_bytes: Math.round((heap / events) * 10) / 10,
    columnstore_bytes: Math.round((stored / events) * 10) / 10,
    saved: Math.round((1 - stored / heap) * 1000) / 1000,
    compressed_events_per_second: Math.round(events / compressSeconds),
    uncompressed_ms: uncompressed,
    compressed_ms: compressed,
    rollup_ms: rollups,
  })}\n`,
);
