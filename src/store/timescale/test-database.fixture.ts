import { randomBytes } from 'node:crypto';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { serverAddress } from '../../../test/servers/server-address.fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { databaseConfigSchema } from './config.ts';
import type { DatabaseConfig } from './config.ts';
import type { Database } from './database.ts';
import { migrateDatabase } from './migrator.ts';
import { openDatabase } from './pg-database.ts';
import { openPgliteEngine } from './pglite-database.fixture.ts';
import type { PgliteEngine } from './pglite-database.fixture.ts';

/** `postgres`: the server that HELIOS_TEST_POSTGRES names; `pglite`: TimescaleDB in this process. */
export type TestEngine = 'postgres' | 'pglite';

export interface TestDatabase extends AsyncDisposable {
  engine: TestEngine;
  database: Database;
  config: DatabaseConfig;
  /** A pool of its own on the same database, as another process has it; on pglite the same single connection. Closed by its user. */
  connect: () => Promise<Database>;
}

export interface TestDatabaseOptions {
  /** Without the schema. */
  empty?: boolean;
  /** Besides the defaults; `url` is the fixture's. */
  config?: Partial<DatabaseConfig>;
}

/** The engines that there are here: suites run on each of them. */
export function testEngines(): TestEngine[] {
  return serverAddress('postgres') === undefined ? ['pglite'] : ['pglite', 'postgres'];
}

export function testDatabaseConfig(changes: Partial<DatabaseConfig> = {}): DatabaseConfig {
  return { ...databaseConfigSchema.parse({ host: 'localhost' }), connections: 4, ...changes };
}

function connectTo(config: DatabaseConfig): Promise<Database> {
  const parts = { logger: silentLogger, clock: systemClock, metrics: silentMetrics };
  return openDatabase({ config, ...parts, applicationName: 'helios-test', waitMs: 0 });
}

/** Runs SQL in the database that HELIOS_TEST_POSTGRES itself names. */
async function administer(sql: string): Promise<void> {
  const url = serverAddress('postgres') as string;
  await using database = await connectTo(testDatabaseConfig({ url }));
  await database.withSession((session) => session.execute(sql));
}

async function openOnServer({ empty = false, config: changes }: TestDatabaseOptions): Promise<TestDatabase> {
  const name = `helios_test_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverAddress('postgres') as string);
  await administer(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  const config = testDatabaseConfig({ ...changes, url: url.href });
  const drop = (): Promise<void> => administer(`DROP DATABASE ${name} WITH (FORCE)`);
  try {
    const database = await connectTo(config);
    if (!empty) await migrateDatabase(database, { config, logger: silentLogger });
    return {
      engine: 'postgres',
      database,
      config,
      connect: () => connectTo(config),
      async [Symbol.asyncDispose]() {
        await database[Symbol.asyncDispose]();
        await drop();
      },
    };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** One migrated engine of this process, lent to one test after the other: starting one takes seconds. */
let shared: Promise<PgliteEngine> | undefined;
let lent: Promise<void> = Promise.resolve();

async function migratedEngine(): Promise<PgliteEngine> {
  const engine = await openPgliteEngine();
  await migrateDatabase(await engine.connect(), { config: testDatabaseConfig(), logger: silentLogger });
  return engine;
}

const OWN_TABLES = `SELECT string_agg(format('%I', tablename), ', ') AS names FROM pg_tables
  WHERE schemaname = 'public' AND tablename <> 'schema_migrations'`;
const AGGREGATES = `SELECT view_name AS name FROM timescaledb_information.continuous_aggregates ORDER BY view_name`;

/** Leaves the schema and takes all rows away; what a test changed of the schema itself stays. */
async function emptyTables(database: Database): Promise<void> {
  const { rows } = await database.query(OWN_TABLES);
  const aggregates = await database.query(AGGREGATES);
  for (const { name } of aggregates.rows) await database.query(`TRUNCATE ${String(name)}`);
  await database.query(`TRUNCATE ${String(rows[0]?.['names'])} RESTART IDENTITY`);
}

async function borrowPglite({ config: changes }: TestDatabaseOptions): Promise<TestDatabase> {
  const before = lent;
  const { promise, resolve: giveBack } = Promise.withResolvers<void>();
  lent = before.then(() => promise);
  await before;
  try {
    shared ??= migratedEngine();
    const engine = await shared;
    const database = await engine.connect();
    await emptyTables(database);
    return {
      engine: 'pglite',
      database,
      config: testDatabaseConfig(changes),
      connect: () => engine.connect(),
      async [Symbol.asyncDispose]() {
        await database[Symbol.asyncDispose]();
        giveBack();
      },
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

async function openOnPglite(options: TestDatabaseOptions): Promise<TestDatabase> {
  if (!options.empty) return borrowPglite(options);
  const engine = await openPgliteEngine();
  return {
    engine: 'pglite',
    database: await engine.connect(),
    config: testDatabaseConfig(options.config),
    connect: () => engine.connect(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/**
 * A migrated database without rows, gone after its disposal. On pglite one after the other: a second one waits until the first is
 * disposed of, and what a test does to the schema stays for the next.
 */
export function openTestDatabase(engine: TestEngine, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return engine === 'postgres' ? openOnServer(options) : openOnPglite(options);
}

/** Registers a test for every engine that there is, each with a database of its own, and a skipped one that names what is missing. */
export function withDatabase(
  title: string,
  run: (test: TestDatabase, context: TestContext) => Promise<void>,
  options: TestDatabaseOptions & { engines?: readonly TestEngine[] } = {},
): void {
  const there = testEngines();
  for (const engine of options.engines ?? (['pglite', 'postgres'] as const)) {
    const skip = there.includes(engine) ? false : 'needs HELIOS_TEST_POSTGRES';
    test(`${title} (${engine})`, { skip }, async (context) => {
      await using database = await openTestDatabase(engine, options);
      await run(database, context);
    });
  }
}
