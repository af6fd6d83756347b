import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DatabaseConfig } from './config.ts';
import { checkTimescale } from './database-supports.ts';
import type { Database, Session } from './database.ts';
import type { Engine, Migration } from './migration-files.ts';
import { migrationsFor } from './migration-files.ts';
import { applyPolicies } from './policies.ts';

/** Of all advisory locks of a database, the one of whoever migrates: "helios" in a bigint. */
const LOCK = 0x68656c696f73;
/** A lock that is waited for longer is asked for again, so that a connection cut meanwhile is noticed. */
const LOCK_PATIENCE_MS = 5000;

export interface MigrationOptions {
  config: DatabaseConfig;
  logger: Logger;
  /** Folder of the SQL files; the program's own by default. */
  folder?: string;
}

export interface Applied {
  number: number;
  name: string;
  checksum: string;
}

function schemaError(reason: string): HeliosError {
  return new HeliosError('invalid_config', `cannot use this database: ${reason}`, { details: { field: 'database.name' } });
}

/** The steps that the schema has gone, in order; none before the first migration. */
export async function readApplied(session: Pick<Session, 'query'>): Promise<Applied[]> {
  const { rows } = await session.query(`SELECT to_regclass('schema_migrations') IS NOT NULL AS there`);
  if (rows[0]?.['there'] !== true) return [];
  const applied = await session.query('SELECT number, name, checksum FROM schema_migrations ORDER BY number');
  return applied.rows as unknown as Applied[];
}

/** Throws `invalid_config` unless what was applied is the beginning of what this program has. */
function compareApplied(applied: readonly Applied[], known: readonly Migration[]): void {
  if (applied.length > known.length) {
    throw schemaError(`its schema is at step ${applied.length}, this program knows ${known.length}; use a newer HELIOS`);
  }
  for (const [index, { number, name, checksum }] of applied.entries()) {
    const expected = known[index] as Migration;
    if (number !== expected.number || name !== expected.name) {
      throw schemaError(`step ${number} of its schema is ${name}, here it is ${expected.name}`);
    }
    if (checksum !== expected.checksum) {
      throw schemaError(`step ${name} of its schema is not the one of this program: another checksum`);
    }
  }
}

/** Which kind of tables a migrated database has, or null before. */
function engineOf(applied: readonly Applied[]): Engine | null {
  if (applied.some(({ name }) => name.endsWith('.timescale.sql'))) return 'timescale';
  return applied.some(({ name }) => name.endsWith('.plain.sql')) ? 'plain' : null;
}

async function withLock<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query(`SET lock_timeout = ${LOCK_PATIENCE_MS}`);
  for (;;) {
    try {
      await session.query('SELECT pg_advisory_lock($1)', [LOCK]);
      break;
    } catch (error) {
      if ((error as { cause?: { code?: unknown } }).cause?.code !== '55P03') throw error;
    }
  }
  await session.query('RESET lock_timeout');
  try {
    return await work();
  } finally {
    // A connection that is gone has given it back.
    await session.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
  }
}

/** Creates the extension where the server has it; says which tables there will be. */
async function prepareEngine(session: Session, logger: Logger): Promise<Engine> {
  const { rows } = await session.query(
    `SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'timescaledb'`,
  );
  const found = rows[0] as { default_version: string; installed_version: string | null } | undefined;
  if (found === undefined) {
    logger.warn(
      'the server has no timescaledb: ordinary tables are created; old rows are deleted instead of whole chunks dropped, nothing is compressed, and the views event_metrics_* and event_latency_* are computed when they are read',
    );
    return 'plain';
  }
  checkTimescale(found.installed_version ?? found.default_version);
  try {
    await session.execute('CREATE EXTENSION IF NOT EXISTS timescaledb');
  } catch (error) {
    throw new HeliosError(
      'invalid_config',
      `cannot create the extension timescaledb, which the server has: ${(error as Error).message}; create it as an administrator`,
      { cause: error, details: { field: 'database.user' } },
    );
  }
  const license = await session.query(`SELECT current_setting('timescaledb.license', true) AS license`);
  if (license.rows[0]?.['license'] === 'apache') {
    throw schemaError('its timescaledb has no compression and no continuous aggregates (timescaledb.license = apache)');
  }
  return 'timescale';
}

async function applyStep(session: Session, { number, name, sql, checksum }: Migration): Promise<void> {
  await session.query('BEGIN');
  try {
    await session.execute(sql);
    await session.query('INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)', [number, name, checksum]);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function migrate(session: Session, { logger, folder }: MigrationOptions): Promise<{ engine: Engine; taken: Migration[] }> {
  await session.execute(`CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`);
  const applied = await readApplied(session);
  const engine = engineOf(applied) ?? (await prepareEngine(session, logger));
  const known = migrationsFor(engine, folder);
  compareApplied(applied, known);
  const taken = known.slice(applied.length);
  for (const step of taken) {
    await applyStep(session, step);
    logger.info('the schema of the database is a step further', { step: step.name });
  }
  return { engine, taken };
}

/**
 * Brings the schema up to date and applies what the configuration says of chunks, compression, retention and indexes. Safe when several
 * processes do it at once. Returns the names of the steps that it took. Rejects with `invalid_config` when the database is newer than the
 * program or its steps were other ones.
 */
export async function migrateDatabase(database: Database, options: MigrationOptions): Promise<string[]> {
  const names = await database.withSession(
    (session) =>
      withLock(session, async () => {
        const { engine, taken } = await migrate(session, options);
        await applyPolicies(session, engine, options.config);
        return taken.map(({ name }) => name);
      }),
    0,
  );
  await database.inspect();
  return names;
}

/** Rejects with `invalid_config` when the schema is not exactly the one that this program works on. Changes nothing. */
export async function checkSchema(database: Database, folder?: string): Promise<void> {
  const applied = await readApplied(database);
  const known = migrationsFor(engineOf(applied) ?? 'plain', folder);
  compareApplied(applied, known);
  if (applied.length < known.length) {
    throw schemaError(
      `its schema is at step ${applied.length} of ${known.length}; run "helios migrate", or set database.migrate`,
    );
  }
}
