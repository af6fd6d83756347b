import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { openDatabase } from './pg-database.ts';
import type { DatabaseOptions } from './pg-database.ts';
import { testDatabaseConfig } from './test-database.fixture.ts';

/** A server of the test's own, which it may kill. */
function startServer() {
  // Not a private folder: the server runs as another user.
  const dir = join(tmpdir(), `helios-outage-${randomBytes(6).toString('hex')}`);
  const run = (verb: string): string =>
    execFileSync(join(serverAddress('servers') as string, 'postgres'), [verb, '--dir', dir], { encoding: 'utf8' }).trim();
  const url = run('start');
  return {
    dir,
    url,
    crash: () => run('crash'),
    up: () => run('up'),
    [Symbol.dispose]() {
      run('stop');
    },
  };
}

function options(url: string, changes: Partial<DatabaseOptions> = {}): DatabaseOptions {
  const parts = { logger: silentLogger, clock: systemClock, metrics: silentMetrics, applicationName: 'helios-test' };
  return { config: testDatabaseConfig({ url }), ...parts, waitMs: 0, ...changes };
}

const hasCode = (code: string) => (error: unknown) => error instanceof HeliosError && error.code === code;

withServers(['servers'], 'a database that crashes, comes back, and asks for another password', () => {
  test('a pool outlives a crash of its server: what was committed is there, what was not is unavailable', async () => {
    using server = startServer();
    await using database = await openDatabase(options(server.url));
    await database.query('CREATE TABLE kept (number integer)');
    await database.query('INSERT INTO kept VALUES (1)');
    const interrupted = database.transaction(async (session) => {
      await session.query('INSERT INTO kept VALUES (2)');
      server.crash();
      await session.query('INSERT INTO kept VALUES (3)');
    });
    await assert.rejects(interrupted, hasCode('unavailable'));
    await assert.rejects(database.query('SELECT 1'), hasCode('unavailable'));
    server.up();
    await using other = await openDatabase(options(server.url, { waitMs: 60_000 }));
    for (const one of [other, database]) assert.deepEqual((await one.query('SELECT * FROM kept')).rows, [{ number: 1 }]);
  });

  test('a wrong password is said at once, and not waited for', async () => {
    using server = startServer();
    const file = join(server.dir, 'data', 'pg_hba.conf');
    writeFileSync(file, `host all helios all scram-sha-256\n${readFileSync(file, 'utf8')}`);
    server.crash();
    server.up();
    await using right = await openDatabase(options(server.url, { waitMs: 60_000 }));
    await right.query('SELECT 1');
    for (const password of ['wrong', '']) {
      const url = new URL(server.url);
      url.password = password;
      await assert.rejects(openDatabase(options(url.href, { waitMs: 60_000 })), (error) => {
        assert.ok(error instanceof HeliosError);
        assert.deepEqual([error.code, error.details.field], ['invalid_config', 'database.password']);
        return true;
      });
    }
  });
});
