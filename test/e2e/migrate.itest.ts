import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { HeliosError } from '../../src/lib/errors.ts';
import { openTestDatabase } from '../../src/store/timescale/test-database.fixture.ts';
import { withServers } from '../servers/server-address.fixture.ts';

/** Runs `helios migrate` in this process; rejects as the command does. */
async function migrate(...args: string[]): Promise<{ out: string; warnings: string }> {
  const out: string[] = [];
  const warnings: string[] = [];
  const program = createProgram({
    version: '',
    signal: new AbortController().signal,
    print: (line) => void out.push(line),
    warn: (line) => void warnings.push(line),
  });
  await program.parseAsync(['migrate', ...args], { from: 'user' });
  return { out: out.join('\n'), warnings: warnings.join('\n') };
}

test('migrate refuses when no database is configured', async () => {
  const cwd = process.cwd();
  process.chdir(tmpdir());
  try {
    await assert.rejects(migrate('--set', 'kafka.brokers=b:9092'), (error: HeliosError) => {
      assert.equal(error.code, 'invalid_config');
      assert.match(error.message, /no database is configured: set database.host or database.url/);
      return true;
    });
  } finally {
    process.chdir(cwd);
  }
});

withServers(['postgres'], 'migrate on a server', () => {
  test('migrate says what is missing, what it did, and that nothing was to be done', async () => {
    await using place = await openTestDatabase('postgres', { empty: true });
    const url = `database.url=${place.config.url}`;
    await assert.rejects(migrate('--check', '--set', url), (error: HeliosError) => {
      assert.equal(error.code, 'invalid_config');
      assert.match(error.message, /its schema is at step 0 of \d+; run "helios migrate"/);
      return true;
    });
    const first = await migrate('--set', url);
    assert.match(first.out, /^applied 000001\.sql\n/);
    assert.match(first.out, /\nthe schema is at step \d+, the newest, on (TimescaleDB \d|PostgreSQL without TimescaleDB)/);
    const again = await migrate('--set', url);
    assert.match(again.out, /^nothing was to be done: the schema is at step \d+/);
    assert.equal((await migrate('--check', '--set', url)).out, again.out);
    assert.equal(again.warnings, '');
  });

  test('of several that migrate at once each ends well, and every step is taken once', async () => {
    await using place = await openTestDatabase('postgres', { empty: true });
    const outcomes = await Promise.all([1, 2, 3].map(() => migrate('--set', `database.url=${place.config.url}`)));
    const steps = await place.database.query('SELECT count(*) AS count FROM schema_migrations');
    const taken = outcomes.flatMap(({ out }) => out.match(/^applied .+$/gm) ?? []);
    assert.equal(taken.length, new Set(taken).size);
    assert.ok(outcomes.every(({ out }) => out.includes(`the schema is at step ${String(steps.rows[0]?.['count'])}, the newest`)));
  });

  test('a database that is newer than the program is left alone', async () => {
    await using place = await openTestDatabase('postgres');
    await place.database.query(`INSERT INTO schema_migrations (number, name, checksum) VALUES (999, '000999.sql', 'x')`);
    for (const flags of [[], ['--check']]) {
      await assert.rejects(migrate(...flags, '--set', `database.url=${place.config.url}`), /use a newer HELIOS/);
    }
  });
});
