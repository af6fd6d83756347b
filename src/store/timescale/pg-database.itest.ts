import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { ManualClock, systemClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { DatabaseConfig } from './config.ts';
import { RowError } from './errors.ts';
import { openDatabase } from './pg-database.ts';
import type { DatabaseOptions } from './pg-database.ts';
import { openTcpProxy } from './tcp-proxy.fixture.ts';
import { testDatabaseConfig, withDatabase } from './test-database.fixture.ts';

const ON_SERVER = { engines: ['postgres'], empty: true } as const;

function options(config: DatabaseConfig, changes: Partial<DatabaseOptions> = {}): DatabaseOptions {
  const parts = { logger: silentLogger, clock: systemClock, metrics: silentMetrics };
  return { config, ...parts, applicationName: 'helios-test', waitMs: 0, ...changes };
}

const isCode = (code: ErrorCode, field?: string) => (error: unknown) =>
  error instanceof HeliosError && error.code === code && error.details.field === field;

/** The test's own database, changed in where it is reached. */
function moved(config: DatabaseConfig, change: (url: URL) => void): DatabaseConfig {
  const url = new URL(config.url as string);
  change(url);
  return { ...config, url: url.href };
}

withDatabase('values come back as they went in', async ({ database }) => {
  const { rows } = await database.query(
    `SELECT 5::bigint AS small, 9007199254740993::bigint AS large, 1.5::numeric AS numeric, $1::bytea AS bytes, $2::jsonb AS json,
      $3::text[] AS texts, $4::double precision AS double, $5::bigint[] AS longs, '{}'::bigint[] AS nothing`,
    [Buffer.from([1, 0, 255]), { a: [1, 'x'] }, ['a"b', 'c,d'], 0.1, [1, 2]],
  );
  const { bytes, ...others } = rows[0] as Record<string, unknown>;
  assert.deepEqual([...(bytes as Uint8Array)], [1, 0, 255]);
  const json = { a: [1, 'x'] };
  const texts = ['a"b', 'c,d'];
  assert.deepEqual(others, {
    small: 5,
    large: 9007199254740993n,
    numeric: 1.5,
    json,
    texts,
    double: 0.1,
    longs: [1, 2],
    nothing: [],
  });
});

withDatabase(
  'what is copied is stored with its transaction, and with one bad row none of it',
  async ({ database }) => {
    await database.query('CREATE TABLE copied (number integer PRIMARY KEY, text text)');
    const lines = Array.from({ length: 50_000 }, (_, number) => `${number}\tline ${number} ${'x'.repeat(100)}\n`);
    const chunks = [0, 1, 2, 3, 4].map((part) => Buffer.from(lines.slice(part * 10_000, (part + 1) * 10_000).join('')));
    const copy = (extra: string): Promise<void> =>
      database.transaction((session) => session.copy('COPY copied FROM STDIN', [...chunks, Buffer.from(extra)]));
    for (const [bad, sqlState] of [
      ['many\tx\n', '22P02'],
      ['7\tagain\n', '23505'],
      ['60000\n', '22P04'],
      ['60000\t\\x00\n', '22021'],
    ] as const) {
      await assert.rejects(copy(bad), (error) => error instanceof RowError && error.sqlState === sqlState);
      assert.deepEqual((await database.query('SELECT count(*) AS n FROM copied')).rows, [{ n: 0 }]);
    }
    await copy('50000\tlast\n');
    assert.deepEqual((await database.query('SELECT count(*) AS n FROM copied')).rows, [{ n: 50_001 }]);
  },
  { empty: true },
);

withDatabase(
  'a transaction is stored whole or not at all, also when a failure in it is passed over',
  async ({ database }) => {
    await database.query('CREATE TABLE kept (number integer)');
    const insert = (last: string) =>
      database.transaction(async (session) => {
        await session.query('INSERT INTO kept VALUES (1)');
        await session.query(last).catch((error: unknown) => assert.ok(error instanceof RowError));
      });
    await assert.rejects(insert('SELECT 1 / 0'));
    await assert.rejects(
      database.transaction(async (session) => {
        await session.query('INSERT INTO kept VALUES (2)');
        throw new HeliosError('conflict', 'cannot go on');
      }),
      isCode('conflict'),
    );
    assert.deepEqual((await database.query('SELECT * FROM kept')).rows, []);
    await insert('INSERT INTO kept VALUES (3)');
    assert.deepEqual((await database.query('SELECT number FROM kept ORDER BY 1')).rows, [{ number: 1 }, { number: 3 }]);
  },
  { empty: true },
);

withDatabase(
  'a lock that another process holds is given up as unavailable',
  async ({ database, connect, config }) => {
    await database.query('CREATE TABLE guarded (number integer)');
    await using other = await openDatabase(options({ ...config, lock_timeout: 20 }));
    await using holder = await connect();
    await holder.transaction(async (session) => {
      await session.query('LOCK TABLE guarded');
      await assert.rejects(other.query('INSERT INTO guarded VALUES (1)'), isCode('unavailable'));
    });
    await other.query('INSERT INTO guarded VALUES (1)');
  },
  ON_SERVER,
);

withDatabase(
  'a statement that takes too long is cancelled as unavailable, unless its session has more time',
  async ({ config }) => {
    await using database = await openDatabase(options({ ...config, statement_timeout: 50 }));
    await assert.rejects(database.query('SELECT pg_sleep(20)'), isCode('unavailable'));
    await database.withSession((session) => session.query('SELECT pg_sleep(0.1)'), 0);
    await assert.rejects(database.query('SELECT pg_sleep(20)'), isCode('unavailable'));
    const { rows } = await database.query(`SELECT current_setting('application_name') AS name`);
    assert.deepEqual(rows, [{ name: 'helios-test' }]);
  },
  ON_SERVER,
);

withDatabase(
  'a connection whose server is read-only is not used again',
  async ({ config }) => {
    await using database = await openDatabase(options({ ...config, connections: 1 }));
    await database.query('CREATE TABLE written (number integer)');
    const standby = await database.query('SELECT pg_backend_pid() AS pid');
    await database.query('SET default_transaction_read_only = on');
    await assert.rejects(database.query('INSERT INTO written VALUES (1)'), isCode('unavailable'));
    await database.query('INSERT INTO written VALUES (1)');
    assert.notDeepEqual((await database.query('SELECT pg_backend_pid() AS pid')).rows, standby.rows);
  },
  ON_SERVER,
);

withDatabase(
  'connections that the server ends, busy or idle, are replaced',
  async ({ config, database: killer }) => {
    await using database = await openDatabase(options({ ...config, connections: 2 }));
    const end = (which: string): Promise<unknown> =>
      killer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND ${which}`,
      );
    const busy = assert.rejects(
      database.transaction(async (session) => {
        await session.query('CREATE TABLE vanished (number integer)');
        await end(`state = 'idle in transaction'`);
        await session.query('SELECT 1');
      }),
      isCode('unavailable'),
    );
    await busy;
    await database.query('SELECT 1');
    await end(`state = 'idle'`);
    // The first one may still be handed a connection that is about to end.
    await database.query('SELECT 1').catch((error: unknown) => assert.ok(isCode('unavailable')(error)));
    assert.deepEqual((await database.query(`SELECT to_regclass('vanished') AS vanished`)).rows, [{ vanished: null }]);
  },
  ON_SERVER,
);

withDatabase(
  'a wrong name or user is said at once, with the key at fault',
  async ({ config }) => {
    const missing = moved(config, (url) => (url.pathname = '/helios_test_nowhere'));
    await assert.rejects(openDatabase(options(missing, { waitMs: 60_000 })), isCode('invalid_config', 'database.name'));
    const stranger = moved(config, (url) => (url.username = 'helios_test_nobody'));
    await assert.rejects(
      openDatabase(options(stranger, { waitMs: 60_000 })),
      (error) => isCode('invalid_config', 'database.user')(error) || isCode('invalid_config', 'database.password')(error),
    );
  },
  ON_SERVER,
);

withDatabase(
  'a server that comes later is waited for, and that is said once',
  async ({ config }) => {
    const { hostname, port } = new URL(config.url as string);
    await using proxy = await openTcpProxy(hostname, Number(port), 'cut');
    const through = moved(config, (url) => (url.host = `127.0.0.1:${proxy.port}`));
    await assert.rejects(openDatabase(options(through)), isCode('unavailable'));

    const lines: string[] = [];
    const logger = {
      ...silentLogger,
      warn: (line: string) => void lines.push(line),
      info: (line: string) => void lines.push(line),
    };
    const pauses: number[] = [];
    const clock = {
      ...systemClock,
      async sleep(delayMs: number) {
        pauses.push(delayMs);
        if (pauses.length === 4) proxy.mode = 'open';
      },
    };
    await using database = await openDatabase(options(through, { clock, logger, waitMs: 60_000 }));
    await database.query('SELECT 1');
    assert.deepEqual(lines, ['waiting for the database', 'the database is there']);
    for (const [index, pauseMs] of pauses.entries()) assert.ok(pauseMs >= 125 * 2 ** index && pauseMs <= 250 * 2 ** index);
  },
  ON_SERVER,
);

withDatabase(
  'a network that hands nothing on is noticed without the server',
  async ({ config }) => {
    const { hostname, port } = new URL(config.url as string);
    await using proxy = await openTcpProxy(hostname, Number(port));
    const clock = new ManualClock();
    const through = moved(config, (url) => (url.host = `127.0.0.1:${proxy.port}`));
    await using database = await openDatabase(options(through, { clock }));
    const frozen = assert.rejects(
      database.withSession(async (session) => {
        proxy.mode = 'frozen';
        const answer = session.query('SELECT 1');
        clock.advance(config.statement_timeout + 10_000);
        await answer;
      }),
      isCode('unavailable'),
    );
    await frozen;
    proxy.mode = 'open';
    await database.query('SELECT 1');
    assert.equal(clock.pendingTimers, 0);
  },
  ON_SERVER,
);

test('a server without TLS is refused when TLS is asked for', async () => {
  // Answers the request for TLS (PostgreSQL documentation, "Message Flow") with a no.
  const server = createServer((socket) => socket.once('data', () => socket.end('N')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = testDatabaseConfig({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, tls: 'require' });
  await assert.rejects(openDatabase(options(config, { waitMs: 60_000 })), isCode('invalid_config', 'database.tls'));
  server.close();
});
