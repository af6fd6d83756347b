/**
 * The search among 5,000 reports of 6 KB of Markdown and 60 items of evidence: in the embedded store, and
 * in PostgreSQL with `HELIOS_TEST_POSTGRES=postgres://… node bench/report-search.ts`. "scan" reads every report, which is what a search
 * would be without an index. Medians of several runs, the first page of 100, in milliseconds.
 */
import { DatabaseSync } from 'node:sqlite';
import { isoTime, systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import type { Evidence, Report } from '../src/model/report.ts';
import { storeConfigSchema } from '../src/store/config.ts';
import { reportOf } from '../src/store/contract/document-fixture.ts';
import { MemoryEventSource } from '../src/store/contract/event-fixture.ts';
import { databasePath } from '../src/store/embedded/database.ts';
import { openEmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import { openStoreWriter } from '../src/store/embedded/store-writer.ts';
import type { ListQuery, Store } from '../src/store/store.ts';
import { openTestDatabase } from '../src/store/timescale/test-database.fixture.ts';
import { openTimescaleStore } from '../src/store/timescale/timescale-store.ts';
import { serverAddress } from '../test/servers/server-address.fixture.ts';
import { textTable } from './load-table.ts';
import { temporaryDirectory } from './server-process.ts';

const REPORTS = 5000;
const WORDS = 1200;
const RUNS = 15;
const END_MS = Date.UTC(2025, 9, 8);
const QUERIES: readonly (readonly [name: string, query: Partial<ListQuery>])[] = [
  ['no text', {}],
  ['in one report', { text: 'incident4321' }],
  ['in all reports', { text: 'summary' }],
  ['two words, one rare', { text: 'summary w3999' }],
  ['beginning of 1,111 words', { text: 'w4' }],
  ['nowhere', { text: 'nothing' }],
  ['with a verdict', { text: 'w10', verdict: 'CONFIRMED' }],
  ['in the last day', { text: 'summary', fromMs: END_MS - 86_400_000 }],
];

/** Words in the proportions of a language: the second as often as half the first, and so on. */
function textOf(prng: Prng): string {
  return Array.from({ length: WORDS }, () => `w${Math.floor(Math.exp(prng.next() * Math.log(5000)))}`).join(' ');
}

function makeReport(number: number, version: number, prng: Prng): Report {
  const atMs = END_MS - (REPORTS - number) * 600_000 + version * 1000;
  const at = isoTime(atMs);
  const query = `/api/v1/metrics?service=checkout&name=p95_latency&from=${at}&to=${at}&step=10s`;
  const evidence = Array.from({ length: 60 }, (_, i): Evidence => {
    const what = { id: `E${i + 1}`, type: 'metric' as const, service: 'prod/shop/checkout', feature: 'p95_latency' };
    return { ...what, value: prng.next(), unit: 'ms', from: at, to: at, query, pointer: '/series/0/points/0/1' };
  });
  const markdown = `# incident${number}\n\n## Summary\n\n${textOf(prng)}\n`;
  return { ...reportOf(`in-${number}`, version, atMs), verdict: number % 10 === 0 ? 'CONFIRMED' : 'LIKELY', evidence, markdown };
}

async function fill(store: Store): Promise<number> {
  const prng = createPrng(1);
  const reports = Array.from({ length: REPORTS }, (_, i) => makeReport(i, 1, prng));
  const startMs = systemClock.monotonicMs();
  for (const report of reports) await store.put('report', report);
  return (systemClock.monotonicMs() - startMs) / reports.length;
}

async function medianMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const startMs = systemClock.monotonicMs();
    await run();
    times.push(systemClock.monotonicMs() - startMs);
  }
  return times.toSorted((a, b) => a - b)[RUNS >> 1] as number;
}

async function measure(store: Store, scan: () => Promise<unknown>, settle = async () => {}): Promise<Map<string, number>> {
  const figures = new Map<string, number>([['to store one', await fill(store)]]);
  await settle();
  for (const [name, query] of QUERIES) {
    figures.set(name, await medianMs(() => store.list('report', { limit: 100, ...query })));
  }
  return figures.set('scan', await medianMs(scan));
}

async function measureEmbedded(): Promise<Map<string, number>> {
  using directory = temporaryDirectory();
  const dir = directory.path;
  const common = { dir, clock: systemClock, logger: silentLogger };
  await using writer = await openStoreWriter({ ...common, config: storeConfigSchema.parse({}), metrics: silentMetrics });
  await using store = await openEmbeddedStore({
    ...common,
    source: new MemoryEventSource(),
    committedOffset: () => writer.offset(),
  });
  const database = new DatabaseSync(databasePath(dir));
  const sql = "SELECT count(*) FROM document WHERE kind = 'report' AND is_newest AND body ->> '$.markdown' LIKE '%nothing%'";
  try {
    return await measure(store, async () => database.prepare(sql).get());
  } finally {
    database.close();
  }
}

async function measurePostgres(): Promise<Map<string, number>> {
  await using test = await openTestDatabase('postgres');
  const { database } = test;
  const common = { clock: systemClock, logger: silentLogger, storeConfig: storeConfigSchema.parse({}) };
  await using store = await openTimescaleStore({ ...common, database });
  const sql = "SELECT count(*) FROM documents WHERE kind = 'report' AND is_newest AND body->>'markdown' ILIKE '%nothing%'";
  // As the server does by itself within minutes.
  return await measure(
    store,
    () => database.query(sql),
    async () => void (await database.query('ANALYZE documents')),
  );
}

const engines: [string, Map<string, number>][] = [['SQLite', await measureEmbedded()]];
if (serverAddress('postgres') !== undefined) engines.push(['PostgreSQL', await measurePostgres()]);
const names = [...(engines[0]?.[1].keys() ?? [])];
const rows = names.map((name) => [name, ...engines.map(([, figures]) => (figures.get(name) ?? NaN).toFixed(2))]);
process.stdout.write(textTable(['query', ...engines.map(([engine]) => `${engine} ms`)], rows));
