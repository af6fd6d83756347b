/**
 * The columnstore and the rollups of TimescaleDB: `node bench/columnstore.ts [EVENTS]`. Stores events of 200 bytes through the writer's own
 * rows and compresses them: as they come at full load, and a day of as many, thinly spread, of whose five-minute rollup and rows the same
 * dashboard is asked. In this process (TimescaleDB 2.23 in WebAssembly, two gigabytes for a million events), or in databases of its own on
 * the TimescaleDB that HELIOS_TEST_POSTGRES names. Prints one line of JSON: bytes an event, medians in milliseconds.
 */
import { systemClock } from '../src/lib/clock.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { EventBatch } from '../src/model/event-batch.ts';
import { createNames } from '../src/model/event-batch.ts';
import { createJsonScanner } from '../src/model/json-scanner.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import { refreshAggregates } from '../src/store/timescale/aggregates.fixture.ts';
import type { Database } from '../src/store/timescale/database.ts';
import { EventCopy } from '../src/store/timescale/event-copy.ts';
import { openTestDatabase, testEngines } from '../src/store/timescale/test-database.fixture.ts';
import type { TestEngine } from '../src/store/timescale/test-database.fixture.ts';
import { sampleRecords } from './sample-events.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2025, 9, 8);
/** What a producer gathers at full load, and between two requests of few clients. */
const DENSE_RECORD = 1000;
const THIN_RECORD = 100;
const EVENTS_PER_COMMIT = 20_000;
const RUNS = 7;

/** Spreads a batch over its part of the day, with a peak at noon. */
class DayClock {
  readonly #prng = createPrng(2);
  readonly #meanGapMs: number;
  #atMs = START_MS;

  constructor(events: number) {
    this.#meanGapMs = DAY_MS / events;
  }

  spread({ timestamp, count }: EventBatch): void {
    for (let i = 0; i < count; i++) {
      const load = 1 - 0.6 * Math.cos((2 * Math.PI * (this.#atMs - START_MS)) / DAY_MS);
      this.#atMs = Math.min(START_MS + DAY_MS - 1, this.#atMs + ((0.8 * this.#meanGapMs) / load) * this.#prng.exponential());
      timestamp[i] = Math.round(this.#atMs);
    }
  }
}

/** Stores what load generators post, at the times that they post it or as a day; bytes posted. */
async function storeTraffic(database: Database, events: number, perRecord: number, day?: DayClock): Promise<number> {
  const scanner = createJsonScanner(createNames());
  const copy = new EventCopy(0);
  let bytes = 0;
  for (const [offset, record] of sampleRecords(events, perRecord).entries()) {
    bytes += record.bytes.length;
    const { batch } = scanner.scan(record.bytes, NO_LIMITS);
    day?.spread(batch);
    copy.observe(batch, offset);
    if (copy.rowCount < EVENTS_PER_COMMIT) continue;
    await database.transaction((session) => copy.store(session, false));
    copy.clear();
  }
  await database.transaction((session) => copy.store(session, false));
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
  rollup: `SELECT bucket, service, environment, namespace, event_count, error_count::double precision / event_count AS error_rate,
      latency_sum / latency_count AS avg_latency
    FROM event_metrics_5m WHERE bucket ${WHERE} AND NOT is_log ORDER BY 1, 2, 3, 4`,
  rows: `SELECT date_bin('5 minutes', time, 'epoch') AS bucket, service, environment, namespace, count(*) AS event_count,
      count(*) FILTER (WHERE level >= 4)::double precision / count(*) AS error_rate, avg(latency_ms) AS avg_latency
    FROM events WHERE time ${WHERE} AND kind NOT IN (1, 3) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
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

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Bytes an event in the table with its index, and then in the columnstore. */
async function compressAll(database: Database, events: number): Promise<Record<string, number>> {
  const table = await numberOf(database, `SELECT sum(pg_total_relation_size(c)) AS n FROM show_chunks('events') AS s (c)`);
  const startMs = systemClock.monotonicMs();
  await database.query(`SELECT compress_chunk(c) FROM show_chunks('events') AS s (c)`);
  const perSecond = (events / (systemClock.monotonicMs() - startMs)) * 1000;
  const columnstore = await numberOf(database, `SELECT hypertable_size('events') AS n`);
  return {
    table_bytes: round(table / events),
    columnstore_bytes: round(columnstore / events),
    saved: round(1 - columnstore / table),
    compressed_events_per_second: Math.round(perSecond),
  };
}

/** The same events in the table that the project was first planned with: metadata as posted, three indexes, one of them over all of metadata. */
const PLAN_ROWS = 100_000;
const PLAN = [
  `CREATE TABLE plan_events (time timestamptz NOT NULL, service text NOT NULL, level text NOT NULL, message text, metadata jsonb,
    trace_id text, span_id text)`,
  'CREATE INDEX plan_by_service ON plan_events (service, time DESC)',
  `CREATE INDEX plan_errors ON plan_events (time DESC) WHERE level IN ('ERROR', 'CRITICAL')`,
  'CREATE INDEX plan_metadata ON plan_events USING gin (metadata)',
  `INSERT INTO plan_events SELECT time, service, (ARRAY['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'])[level], message,
    metadata || jsonb_build_object('latency_ms', latency_ms, 'endpoint', endpoint), trace_id, span_id FROM events LIMIT ${PLAN_ROWS}`,
];

/** Bytes an event, with and without its indexes. */
async function planBytes(database: Database): Promise<Record<string, number>> {
  for (const sql of PLAN) await database.query(sql);
  const rows = await numberOf(database, 'SELECT count(*) AS n FROM plan_events');
  const table = await numberOf(database, `SELECT pg_table_size('plan_events') AS n`);
  const total = await numberOf(database, `SELECT pg_total_relation_size('plan_events') AS n`);
  return { plan_table_bytes: round(table / rows), plan_total_bytes: round(total / rows) };
}

const engine = testEngines().at(-1) as TestEngine;

async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  await using server = await openTestDatabase(engine);
  if (server.database.supports.timescale === null) throw new Error('HELIOS_TEST_POSTGRES names no TimescaleDB');
  return await work(server.database);
}

const events = Number(process.argv[2] ?? 1_000_000);
const dense = await withDatabase(async (database) => {
  const posted = await storeTraffic(database, events, DENSE_RECORD);
  return { posted_bytes: round(posted / events), ...(await planBytes(database)), ...(await compressAll(database, events)) };
});
const thin = await withDatabase(async (database) => {
  await storeTraffic(database, events, THIN_RECORD, new DayClock(events));
  await database.query('ANALYZE events');
  const rows_ms = await timeQueries(database, ['rows', 'rows_p95', 'rows_p95_day']);
  await refreshAggregates(database);
  const rollup_ms = await timeQueries(database, ['rollup', 'rollup_p95', 'rollup_p95_day']);
  const sizes = await compressAll(database, events);
  const columnstore_rows_ms = await timeQueries(database, ['rows', 'rows_p95', 'rows_p95_day']);
  return { ...sizes, rows_ms, columnstore_rows_ms, rollup_ms };
});
process.stdout.write(`${JSON.stringify({ engine, events, dense, day: thin })}\n`);
