/**
 * Reads of the store on PostgreSQL or TimescaleDB: `HELIOS_TEST_POSTGRES=postgres://… node bench/timescale.ts`. Stores the rollups of 30 days
 * of 50 services, 10 million events, in a database of its own, and asks for what dashboards ask for. Takes a minute and 300 MB in that
 * server. Prints one line of JSON, medians of several runs in milliseconds.
 */
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import type { Prng } from '../src/lib/prng.ts';
import { createPrng } from '../src/lib/prng.ts';
import { bucketOf } from '../src/model/histogram.ts';
import { storeConfigSchema } from '../src/store/config.ts';
import { encodeRollups } from '../src/store/rollup/rollup-codec.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SUB_WINDOWS_PER_MINUTE } from '../src/store/rollup/rollup-key.ts';
import { RollupSum } from '../src/store/rollup/rollup-sum.ts';
import type { Store } from '../src/store/store.ts';
import type { Database } from '../src/store/timescale/database.ts';
import { openTestDatabase } from '../src/store/timescale/test-database.fixture.ts';
import { openTimescaleStore } from '../src/store/timescale/timescale-store.ts';
import { serverAddress } from '../test/servers/server-address.fixture.ts';

const SERVICES = 50;
const DAYS = 30;
const EVENTS = 10_000_000;
const PARTITIONS = 10;
const ENDPOINTS = 10;
const RUNS = 15;
const START_MS = Date.UTC(2025, 8, 8);
const END_MS = START_MS + DAYS * DAY_MS;
const TABLES = ['minute_rollups', 'hour_rollups', 'day_rollups'] as const;

/** Lines of COPY, sent a few thousand at a time. */
class Lines {
  readonly #database: Database;
  readonly #target: string;
  #lines: string[] = [];

  constructor(database: Database, target: string) {
    this.#database = database;
    this.#target = target;
  }

  async add(...fields: readonly (string | number)[]): Promise<void> {
    this.#lines.push(`${fields.join('\t')}\n`);
    if (this.#lines.length >= 20_000) await this.flush();
  }

  async flush(): Promise<void> {
    const lines = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    await this.#database.withSession((session) => session.copy(`COPY ${this.#target} FROM STDIN`, [lines]));
  }
}

function addEvent(sums: readonly RollupSum[], prng: Prng): void {
  const latency = Math.round(Math.exp(3.5 + 0.6 * prng.normal()) * 1000) / 1000;
  const isError = prng.next() < 0.01;
  const endpoint = 1 + prng.below(ENDPOINTS);
  for (const sum of sums) {
    sum.count++;
    if (isError) sum.errorCount++;
    sum.latencyCount++;
    sum.latencySum += latency;
    sum.latencySquareSum += latency * latency;
    sum.addToHistogram(bucketOf(latency), 1);
    sum.addEndpoint(endpoint);
  }
}

/** Minute, hour and day rows of one service, everything summed up. */
async function fillService(service: number, tables: readonly Lines[], prng: Prng): Promise<void> {
  const [minutes, hours, days] = tables as [Lines, Lines, Lines];
  const minute = Array.from({ length: SUB_WINDOWS_PER_MINUTE }, () => new RollupSum());
  const hour = new RollupSum();
  const day = new RollupSum();
  const partition = service % PARTITIONS;
  const rest = [service, partition];
  const hex = (sums: readonly RollupSum[]): string => String.raw`\\x` + Buffer.from(encodeRollups(sums)).toString('hex');
  const perMinute = EVENTS / SERVICES / (DAYS * 24 * 60);
  let due = 0;
  for (let ms = START_MS; ms < END_MS; ms += MINUTE_MS) {
    for (due += perMinute; due >= 1; due--) addEvent([minute[prng.below(SUB_WINDOWS_PER_MINUTE)] as RollupSum, hour, day], prng);
    await minutes.add(ms / MINUTE_MS, ...rest, hex(minute));
    for (const sum of minute) sum.reset();
    const end = ms + MINUTE_MS;
    if (end % HOUR_MS === 0) {
      await hours.add(end / HOUR_MS - 1, ...rest, hex([hour]));
      hour.reset();
    }
    if (end % DAY_MS === 0) {
      await days.add(end / DAY_MS - 1, ...rest, hex([day]));
      day.reset();
    }
  }
}

async function fill(database: Database): Promise<void> {
  const prng = createPrng(1);
  const tables = TABLES.map((table) => new Lines(database, `${table} (period, stream, log_partition, data)`));
  for (let endpoint = 0; endpoint < ENDPOINTS; endpoint++) {
    await database.query('INSERT INTO endpoints (name) VALUES ($1)', [`/endpoint/${endpoint}`]);
  }
  for (let service = 1; service <= SERVICES; service++) {
    await database.query('INSERT INTO entities (name) VALUES ($1)', [`service-${service}`]);
    await database.query('INSERT INTO entity_times VALUES ($1, $2, $3, $4, $4)', [
      service,
      service % PARTITIONS,
      START_MS,
      END_MS - 1,
    ]);
    await fillService(service, tables, prng);
  }
  for (const table of tables) await table.flush();
  await database.query('VACUUM ANALYZE');
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const startMs = systemClock.monotonicMs();
    await run();
    times.push(systemClock.monotonicMs() - startMs);
  }
  return Math.round((times.toSorted((a, b) => a - b)[RUNS >> 1] as number) * 10) / 10;
}

async function timeMetrics(store: Store, fromMs: number, toMs: number, stepMs: number, service?: string): Promise<number> {
  const query = { fromMs, toMs, stepMs, names: ['p95_latency'], ...(service !== undefined && { service }) };
  const { series } = await store.metrics(query);
  if (series.length !== (service === undefined ? SERVICES : 1)) throw new Error('bench: series are missing');
  if (series.some(({ points }) => points.some(([, value]) => value === null))) throw new Error('bench: values are missing');
  return median(() => store.metrics(query));
}

async function main(): Promise<void> {
  await using test = await openTestDatabase('postgres', { config: { statement_timeout: 600_000 } });
  const { database } = test;
  const fillStartMs = systemClock.monotonicMs();
  await fill(database);
  const fillSeconds = Math.round((systemClock.monotonicMs() - fillStartMs) / 1000);
  await using store = await openTimescaleStore({
    database,
    clock: systemClock,
    logger: silentLogger,
    storeConfig: storeConfigSchema.parse({}),
  });
  const { rows } = await database.query('SELECT pg_database_size(current_database()) AS bytes');
  // As a dashboard's "last 30 days" has it: at both ends a part of a day and of an hour.
  const shiftMs = 11 * HOUR_MS + 23 * MINUTE_MS;
  const last29Days = [START_MS + shiftMs, START_MS + shiftMs + 29 * DAY_MS] as const;
  const result = {
    events: EVENTS,
    fillSeconds,
    databaseMegabytes: Math.round(Number(rows[0]?.['bytes']) / 2 ** 20),
    p95Of30DaysMs: await timeMetrics(store, START_MS, END_MS, DAYS * DAY_MS),
    p95Of29DaysFromAnyMinuteMs: await timeMetrics(store, ...last29Days, 29 * DAY_MS),
    p95Of30DaysByDayMs: await timeMetrics(store, START_MS, END_MS, DAY_MS),
    p95Of30DaysByHourMs: await timeMetrics(store, START_MS, END_MS, HOUR_MS),
    p95Of24HoursBy5MinutesMs: await timeMetrics(store, END_MS - DAY_MS, END_MS, 5 * MINUTE_MS),
    oneServiceOf30DaysByHourMs: await timeMetrics(store, START_MS, END_MS, HOUR_MS, 'service-7'),
    servicesOf30DaysMs: await median(() => store.services({ fromMs: START_MS, toMs: END_MS })),
  };
  process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
}

if (serverAddress('postgres') === undefined) process.stderr.write('skipped: HELIOS_TEST_POSTGRES does not name a PostgreSQL\n');
else await main();
