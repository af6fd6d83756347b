import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Logger } from '../../lib/logger.ts';
import { checkSchema, migrateDatabase } from './migrator.ts';
import { openPgliteEngine } from './pglite-database.fixture.ts';
import { testDatabaseConfig, withDatabase } from './test-database.fixture.ts';

/** Of this program's schema. */
const STEPS = new Set(readdirSync(join(import.meta.dirname, 'migrations')).map((file) => file.slice(0, 6))).size;
const NEXT_STEP = `${String(STEPS + 1).padStart(6, '0')}.sql`;

/** A copy of the migrations that a test may change; gone with the scope. */
function copyMigrations(): { folder: string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'helios-migrations-'));
  cpSync(join(import.meta.dirname, 'migrations'), folder, { recursive: true });
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function collectLines(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const take = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, logger: { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') } };
}

const isRefused = (pattern: RegExp) => (error: unknown) =>
  error instanceof HeliosError && error.code === 'invalid_config' && pattern.test(error.message);

withDatabase(
  'an empty database gets the schema, and a second time nothing changes',
  async ({ database, config }) => {
    await assert.rejects(checkSchema(database), isRefused(/at step 0 of \d; run "helios migrate"/));
    const first = collectLines();
    await migrateDatabase(database, { config, logger: first.logger });
    assert.equal(first.lines.filter((line) => line.startsWith('info')).length, STEPS);
    // One sentence says what is missing on a plain PostgreSQL.
    const warnings = first.lines.filter((line) => line.startsWith('warn'));
    assert.equal(warnings.length, database.supports.timescale === null ? 1 : 0);
    await checkSchema(database);
    const before = await database.query('SELECT * FROM schema_migrations ORDER BY number');
    const second = collectLines();
    await migrateDatabase(database, { config, logger: second.logger });
    assert.deepEqual(second.lines, []);
    assert.deepEqual((await database.query('SELECT * FROM schema_migrations ORDER BY number')).rows, before.rows);
  },
  { empty: true },
);

withDatabase(
  'four processes that migrate at once apply every step once',
  async ({ database, config, connect }) => {
    const databases = await Promise.all([connect(), connect(), connect(), connect()]);
    await Promise.all(databases.map((one) => migrateDatabase(one, { config, logger: silentLogger })));
    await Promise.all(databases.map((one) => one[Symbol.asyncDispose]()));
    const { rows } = await database.query('SELECT number FROM schema_migrations ORDER BY number');
    assert.deepEqual(
      rows.map(({ number }) => number),
      Array.from({ length: STEPS }, (_, i) => i + 1),
    );
    await checkSchema(database);
  },
  { empty: true },
);

withDatabase(
  'a step that fails leaves nothing of itself behind, and the next start goes on from there',
  async ({ database, config }) => {
    using copy = copyMigrations();
    writeFileSync(join(copy.folder, NEXT_STEP), 'CREATE TABLE half (a integer); SELECT 1 / 0;');
    await assert.rejects(migrateDatabase(database, { config, logger: silentLogger, folder: copy.folder }), /division by zero/);
    const { rows } = await database.query(
      `SELECT to_regclass('half') AS half, (SELECT max(number) FROM schema_migrations) AS newest`,
    );
    assert.deepEqual(rows, [{ half: null, newest: STEPS }]);
    writeFileSync(join(copy.folder, NEXT_STEP), 'CREATE TABLE half (a integer);');
    await migrateDatabase(database, { config, logger: silentLogger, folder: copy.folder });
    await checkSchema(database, copy.folder);
    // And this program's own steps are fewer now.
    await assert.rejects(checkSchema(database), isRefused(/at step \d, this program knows \d; use a newer HELIOS/));
    await assert.rejects(migrateDatabase(database, { config, logger: silentLogger }), isRefused(/use a newer HELIOS/));
  },
  { empty: true },
);

withDatabase('a released step that was changed afterwards is refused by its name', async ({ database, config }) => {
  using copy = copyMigrations();
  appendFileSync(join(copy.folder, '000002.sql'), '-- one more line\n');
  await assert.rejects(checkSchema(database, copy.folder), isRefused(/step 000002\.sql .* another checksum/));
  await assert.rejects(
    migrateDatabase(database, { config, logger: silentLogger, folder: copy.folder }),
    isRefused(/000002\.sql/),
  );
});

test('a server that has not heard of timescaledb gets tables and views, and one warning', async () => {
  await using engine = await openPgliteEngine({ withTimescale: false });
  const database = await engine.connect();
  const { lines, logger } = collectLines();
  await migrateDatabase(database, { config: testDatabaseConfig({ metadata_indexes: ['order'] }), logger });
  assert.equal(lines.filter((line) => line.startsWith('warn: the server has no timescaledb')).length, 1);
  const { rows } = await database.query(
    `SELECT count(*) AS n FROM pg_views WHERE viewname ~ '^event_(metrics|latency)_(1m|5m|1h)$'`,
  );
  assert.deepEqual(rows, [{ n: 6 }]);
});
