/**
 * Events into a database server: `node bench/copy.ts [postgres://...]`, else the server that HELIOS_TEST_POSTGRES names. Encoding alone,
 * then COPY of the rows, beside COPY in text form of the same columns; then whole commits of a partition writer. In a database of its own,
 * which is dropped. One connection; medians of rounds. What runs here alone is timed by the processor, the rest by the wall.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import type { EventBatch } from '../src/model/event-batch.ts';
import { createNames } from '../src/model/event-batch.ts';
import { mergedMetadata } from '../src/model/event-rules.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import type { Scanner } from '../src/model/scanner.ts';
import { createSimdScanner } from '../src/model/simd-scanner.ts';
import { databaseConfigSchema } from '../src/store/timescale/config.ts';
import type { DatabaseConfig } from '../src/store/timescale/config.ts';
import type { Database } from '../src/store/timescale/database.ts';
import { EventCopy } from '../src/store/timescale/event-copy.ts';
import { EVENT_COLUMNS } from '../src/store/timescale/event-rows.ts';
import { migrateDatabase } from '../src/store/timescale/migrator.ts';
import { openPartitionWriter } from '../src/store/timescale/partition-writer.ts';
import { openDatabase } from '../src/store/timescale/pg-database.ts';
import type { SampleRecord } from './sample-events.ts';
import { sampleRecords } from './sample-events.ts';

const EVENTS = 100_000;
const PER_RECORD = 500;
const ROUNDS = 7;
const NO_UPDATE = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };
const COPY_TEXT = `COPY events (${EVENT_COLUMNS.join(', ')}) FROM STDIN`;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function secondsOf(work: () => Promise<void> | void): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await work();
  return (systemClock.monotonicMs() - startMs) / 1000;
}

/** Of this thread's processor: what else the machine does is left out. */
function processorSecondsOf(work: () => void): Promise<number> {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return Promise.resolve((user + system) / 1e6);
}

async function rounds(work: () => Promise<number>): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) seconds.push(await work());
  return median(seconds);
}

function observeAll(
  records: readonly SampleRecord[],
  scanner: Scanner,
  observe: (batch: EventBatch, offset: number) => void,
): void {
  for (const [offset, { bytes }] of records.entries()) observe(scanner.scan(bytes, NO_LIMITS).batch, offset);
}

/** What the scanner takes of observing. */
function scanSeconds(records: readonly SampleRecord[], scanner: Scanner): Promise<number> {
  return rounds(() => processorSecondsOf(() => observeAll(records, scanner, () => {})));
}

/** A field of COPY in text form. */
function textField(value: string | number | bigint | null): string {
  return value === null
    ? String.raw`\N`
    : String(value).replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
}

/** The same rows by JSON.parse, as text. */
function textRows(records: readonly SampleRecord[]): Buffer[] {
  return records.map(({ bytes }, offset) => {
    const lines = bytes.toString().trimEnd().split('\n');
    const rows = lines.map((line, i) => {
      const event = JSON.parse(line) as Record<string, string>;
      const metadata = mergedMetadata(event) as { latency_ms: number; endpoint: string };
      const position = BigInt(offset) * 2n ** 20n + BigInt(i);
      const head = [
        event['timestamp'] as string,
        position,
        0,
        0,
        2,
        1,
        metadata.latency_ms,
        event['service'] as string,
        '',
        '',
        '',
      ];
      const tail = [metadata.endpoint, event['message'] as string, null, null, null, JSON.stringify(metadata)];
      return [...head, ...tail].map(textField).join('\t');
    });
    return Buffer.from(`${rows.join('\n')}\n`);
  });
}

async function copySeconds(database: Database, copy: Parameters<Database['transaction']>[0]): Promise<number> {
  return rounds(async () => {
    await database.query('TRUNCATE events');
    return secondsOf(async () => void (await database.transaction(copy)));
  });
}

async function commitSeconds(database: Database, config: DatabaseConfig, records: readonly SampleRecord[]): Promise<number> {
  const common = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
  const writer = await openPartitionWriter({
    ...common,
    database,
    config,
    group: 'bench',
    topic: 'events',
    partition: 0,
    owner: 'bench',
    stores: 'events',
    onPoison: () => Promise.reject(new Error('bench: a row was refused')),
  });
  const scanner = createSimdScanner(createNames());
  await database.query('TRUNCATE events');
  let offset = 0;
  return rounds(() =>
    secondsOf(async () => {
      const first = offset;
      observeAll(records, scanner, (batch, i) => writer.observe(batch, first + i));
      offset += records.length;
      await writer.commit(NO_UPDATE, offset);
    }),
  );
}

function print(what: string, seconds: number): void {
  const perEvent = ((seconds / EVENTS) * 1e6).toFixed(2).padStart(6);
  process.stdout.write(
    `| ${what.padEnd(46)} | ${perEvent} | ${Math.round(EVENTS / seconds / 1000)
      .toString()
      .padStart(5)} k |\n`,
  );
}

async function measure(database: Database, config: DatabaseConfig): Promise<void> {
  const records = sampleRecords(EVENTS, PER_RECORD);
  const events = new EventCopy(0);
  const scanner = createSimdScanner(createNames());
  const scan = await scanSeconds(records, scanner);
  const both = await rounds(() => {
    events.clear();
    return processorSecondsOf(() => observeAll(records, scanner, (batch, offset) => events.observe(batch, offset)));
  });
  const bytes = Math.round(events.byteLength / EVENTS);
  process.stdout.write(
    `${EVENTS} events of ${Math.round((records[0] as SampleRecord).bytes.length / PER_RECORD)} bytes, rows of ${bytes}\n\n`,
  );
  process.stdout.write(`| ${'what'.padEnd(46)} | us/event | events/s |\n|---|---|---|\n`);
  print('scan', scan);
  print('encode rows of binary COPY', both - scan);
  let text: Buffer[] = [];
  print('encode rows of text COPY by JSON.parse', await rounds(() => processorSecondsOf(() => void (text = textRows(records)))));
  const { supports } = database;
  print('COPY binary, prepared', await copySeconds(database, (session) => events.store(session, false)));
  print('COPY text, prepared', await copySeconds(database, (session) => session.copy(COPY_TEXT, text)));
  if (supports.directCompress) {
    print('COPY binary, compressed at once', await copySeconds(database, (session) => events.store(session, true)));
  }
  print('partition writer: scan, observe, commit', await commitSeconds(database, config, records));
}

async function main(): Promise<void> {
  const url = process.argv[2] ?? process.env['HELIOS_TEST_POSTGRES'];
  if (url === undefined) {
    process.stdout.write('skipped: HELIOS_TEST_POSTGRES names no server\n');
    return;
  }
  const parts = { logger: silentLogger, clock: systemClock, metrics: silentMetrics, applicationName: 'helios-bench' };
  const config = databaseConfigSchema.parse({ url });
  await using administration = await openDatabase({ ...parts, config });
  const name = `helios_bench_${randomBytes(6).toString('hex')}`;
  await administration.query(`CREATE DATABASE ${name}`);
  try {
    const own = new URL(url);
    own.pathname = `/${name}`;
    const ownConfig = { ...config, url: own.href };
    await using database = await openDatabase({ ...parts, config: ownConfig });
    await migrateDatabase(database, { config: ownConfig, logger: silentLogger });
    await measure(database, ownConfig);
  } finally {
    await administration.query(`DROP DATABASE ${name} WITH (FORCE)`);
  }
}

await main();
