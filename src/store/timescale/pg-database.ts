import pg from 'pg';
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import type { DatabaseConfig } from './config.ts';
import { databaseAddress } from './database-address.ts';
import { DATABASE_CONNECTIONS, DATABASE_ERRORS } from './database-metrics.ts';
import { readSupports } from './database-supports.ts';
import { TEXT_PARSERS } from './database-types.ts';
import type { Database, DatabaseSupports, Session } from './database.ts';
import { databaseError, isConnectionLost, RowError } from './errors.ts';
import { openPgListener } from './pg-listener.ts';
import { createPgSession } from './pg-session.ts';
import type { PgSession } from './pg-session.ts';

/** How much later than the server the client gives up. */
const DEADLINE_SLACK_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Idle connections are closed after this. */
const IDLE_MS = 60_000;
/**
 * A process that is paused in a transaction holds its locks until the server ends its session, and whoever has taken over its partitions
 * waits for that long. Far less than a statement may take: between statements a transaction only computes.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;
const DEFAULT_WAIT_MS = 60_000;

export interface DatabaseOptions {
  config: DatabaseConfig;
  logger: Logger;
  clock: Clock;
  metrics: Metrics;
  /** What the server shows for these connections (pg_stat_activity). */
  applicationName: string;
  /** How long a server that is not there is waited for; 60 s by default, 0 not at all. */
  waitMs?: number;
  /** Ends the waiting. */
  signal?: AbortSignal;
  /** Spreads the attempts of many processes; seeded by the process by default. */
  prng?: Prng;
}

/** Answers come as text: the client asks for nothing else. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (type) => TEXT_PARSERS.get(type) ?? (pg.types.getTypeParser(type) as unknown),
};

function connectionOptions({ config, applicationName }: DatabaseOptions): pg.ClientConfig {
  return {
    ...databaseAddress(config),
    connectionTimeoutMillis: config.connect_timeout,
    keepAlive: true,
    application_name: applicationName,
  };
}

function createPool(options: DatabaseOptions): Pool {
  const { config, logger } = options;
  const pool = new pg.Pool({
    ...connectionOptions(options),
    max: config.connections,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: config.statement_timeout,
    lock_timeout: config.lock_timeout,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types,
  });
  pool.on('error', (error) => logger.debug('an idle connection to the database was lost', { reason: error.message }));
  return pool;
}

class PgDatabase implements Database {
  supports: DatabaseSupports = { timescale: null, directCompress: false, copy: true };
  readonly #options: DatabaseOptions;
  readonly #pool: Pool;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = createPool(options);
  }

  async inspect(): Promise<DatabaseSupports> {
    this.supports = { ...(await readSupports(this)), copy: true };
    return this.supports;
  }

  query(sql: string, values?: readonly unknown[]): ReturnType<Session['query']> {
    return this.withSession((session) => session.query(sql, values));
  }

  withSession<T>(work: (session: Session) => Promise<T>, timeoutMs?: number): Promise<T> {
    if (timeoutMs === undefined) return this.#lend(work);
    return this.#lend(async (session) => {
      await session.query(`SET statement_timeout = ${timeoutMs}`);
      try {
        return await work(session);
      } finally {
        // Of a connection that is gone nobody needs the old one.
        await session.query('RESET statement_timeout').catch(() => undefined);
      }
    }, timeoutMs || Infinity);
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#lend(async (session) => {
      await session.query('BEGIN');
      try {
        const result = await work(session);
        await session.commit();
        return result;
      } catch (error) {
        // Where the connection is gone the server rolls back by itself, and the first error says more.
        await session.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  listen(channel: string, onNotice: () => void): AsyncDisposable {
    const { clock, logger, prng = createPrng(process.pid) } = this.#options;
    return openPgListener({ connection: connectionOptions(this.#options), channel, onNotice, clock, logger, prng });
  }

  async #lend<T>(work: (session: PgSession) => Promise<T>, timeoutMs = this.#options.config.statement_timeout): Promise<T> {
    const { clock, metrics } = this.#options;
    let client: PoolClient | undefined;
    let lost = false;
    const onLost = (): void => {
      lost = true;
    };
    try {
      client = await this.#connect();
      client.on('error', onLost);
      return await work(createPgSession(client, clock, timeoutMs + DEADLINE_SLACK_MS));
    } catch (error) {
      if (error instanceof HeliosError) {
        metrics.add(DATABASE_ERRORS, 1, { code: error.code });
        // What the work itself throws says nothing of the connection.
        lost ||= error.cause !== undefined && !(error instanceof RowError) && isConnectionLost(error);
      }
      throw error;
    } finally {
      client?.off('error', onLost);
      client?.release(lost);
      this.#show();
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      const client = await this.#pool.connect();
      this.#show();
      return client;
    } catch (error) {
      throw databaseError('connect to the database', error);
    }
  }

  #show(): void {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    const { metrics } = this.#options;
    metrics.set(DATABASE_CONNECTIONS, totalCount - idleCount, { state: 'lent' });
    metrics.set(DATABASE_CONNECTIONS, idleCount, { state: 'idle' });
    metrics.set(DATABASE_CONNECTIONS, waitingCount, { state: 'waiting' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

/** Runs `attempt` until it succeeds, fails for good, or the time is over; says once that it waits. */
async function untilThere(options: DatabaseOptions, attempt: () => Promise<unknown>): Promise<void> {
  const { clock, logger, signal, waitMs = DEFAULT_WAIT_MS, prng = createPrng(process.pid) } = options;
  const startMs = clock.monotonicMs();
  for (let pauseMs = FIRST_PAUSE_MS, failures = 0; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs), failures++) {
    try {
      await attempt();
      if (failures > 0) logger.info('the database is there');
      return;
    } catch (error) {
      const leftMs = waitMs - (clock.monotonicMs() - startMs);
      if (!(error instanceof HeliosError) || error.code !== 'unavailable' || leftMs <= 0) throw error;
      if (failures === 0) logger.warn('waiting for the database', { reason: error.message });
      await clock.sleep(Math.min(leftMs, pauseMs * (0.5 + prng.next() / 2)), signal);
    }
  }
}

/**
 * Opens a pool of connections to PostgreSQL or TimescaleDB; resolves when one of them works. Rejects with `unavailable` when the server
 * is not there within `waitMs`, with `invalid_config` and the key at fault when waiting does not help.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = new PgDatabase(options);
  try {
    await untilThere(options, () => database.inspect());
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}
