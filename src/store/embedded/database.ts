import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HeliosError } from '../../lib/errors.ts';
import { storeError } from './sqlite-errors.ts';

/** One database file of a data directory. */
export interface DatabaseKind {
  file: string;
  /** Folder with its schema, beside this file. */
  migrations: string;
  /** What is lost when a damaged one is built again from its log. */
  notRebuilt: string;
}

export const STORE_DATABASE: DatabaseKind = {
  file: 'store.db',
  migrations: 'migrations',
  notRebuilt:
    'reports, posted changes, acknowledgements, what was delivered, spent and judged, and whatever stems from events that retention has dropped',
};
export const METRIC_DATABASE: DatabaseKind = {
  file: 'metrics.db',
  migrations: 'metric-migrations',
  notRebuilt: 'points that retention has dropped from the log',
};

const PAGE_BYTES = 4096;
/** Two connections write: the pipeline's, once a second and briefly, and the API's. */
const LOCK_TIMEOUT_MS = 10_000;

export interface DatabaseOptions {
  /** Created when missing. */
  dir: string;
  /** The store's by default. */
  kind?: DatabaseKind;
  /** Largest size of the database file; past it writes fail with `disk_full`. Unlimited by default. */
  maxBytes?: number;
}

export function databasePath(dir: string, kind = STORE_DATABASE): string {
  return join(dir, kind.file);
}

function migrationsOf(kind: DatabaseKind): string[] {
  const folder = join(import.meta.dirname, kind.migrations);
  const files = readdirSync(folder).filter((file) => /^\d{6}\.sql$/.test(file));
  return files.sort().map((file) => readFileSync(join(folder, file), 'utf8'));
}

function schemaVersion(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

function migrate(database: DatabaseSync, path: string, steps: readonly string[]): void {
  const found = schemaVersion(database);
  if (found > steps.length) {
    throw new HeliosError(
      'data_dir_unusable',
      `cannot open ${path}: it has schema version ${found}, this program knows up to ${steps.length}; use a newer HELIOS`,
    );
  }
  if (found === steps.length) return;
  transaction(database, () => {
    // Another connection may have migrated while this one waited for the lock.
    for (let version = schemaVersion(database); version < steps.length; version++) {
      database.exec(steps[version] as string);
      database.exec(`PRAGMA user_version = ${version + 1}`);
    }
  });
}

/**
 * Opens or creates the database of a data directory and brings its schema up to date.
 * Every commit is synced (synchronous=FULL): the log may drop records that a commit says are counted.
 * Throws `corrupt_data` when the file is not a readable database and `data_dir_unusable` when it is newer than the program.
 */
export function openDatabase({ dir, maxBytes, kind = STORE_DATABASE }: DatabaseOptions): DatabaseSync {
  const path = databasePath(dir, kind);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dir, { recursive: true });
    database = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
    // Takes effect only before the first table is made.
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216');
    database.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY');
    if (maxBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`);
    migrate(database, path, migrationsOf(kind));
    return database;
  } catch (error) {
    database?.close();
    throw storeError(`open ${path}`, error);
  }
}

/** Runs `work` in one write transaction: all of it is stored, or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself after some errors, such as a full disk.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Runs `work` on one snapshot of the database, whatever is committed meanwhile. */
export function snapshot<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    return work();
  } finally {
    if (database.isTransaction) database.exec('COMMIT');
  }
}
