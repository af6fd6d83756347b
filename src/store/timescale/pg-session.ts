import type { PoolClient } from 'pg';
import { from } from 'pg-copy-streams';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { QueryAnswer, Row, Session } from './database.ts';
import { databaseError } from './errors.ts';

/** What the client does not say in its types: the socket. */
interface Wired {
  connection: { stream: { destroy(): void } };
}

function copyAll(client: PoolClient, sql: string, input: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.query(from(sql));
    stream.once('error', reject);
    stream.once('finish', resolve);
    for (const chunk of input) stream.write(chunk);
    stream.end();
  });
}

/** A session, and how its transaction ends. */
export interface PgSession extends Session {
  /** Rejects when the server rolls back instead, because a statement failed that nobody heard of. */
  commit(): Promise<void>;
}

/**
 * One client of the pool as a session. The server ends a statement that takes too long; where not even that is heard, because the
 * network is cut, the connection is given up after `deadlineMs`.
 */
export function createPgSession(client: PoolClient, clock: Clock, deadlineMs: number): PgSession {
  async function run<T>(action: string, work: () => Promise<T>): Promise<T> {
    const stop = clock.after(deadlineMs, () => (client as unknown as Wired).connection.stream.destroy());
    try {
      return await work();
    } catch (error) {
      throw databaseError(action, error);
    } finally {
      stop();
    }
  }
  return {
    query: (sql, values) =>
      run('query the database', async (): Promise<QueryAnswer> => {
        const { rows, rowCount } = await client.query<Row>(sql, values === undefined ? undefined : [...values]);
        return { rows, rowCount: rowCount ?? 0 };
      }),
    execute: (sql) => run('change the database', async () => void (await client.query(sql))),
    copy: (sql, input) => run('copy rows into the database', () => copyAll(client, sql, input)),
    async commit() {
      const { command } = await run('commit to the database', () => client.query('COMMIT'));
      assert(command === 'COMMIT', 'a statement of the transaction failed and was passed over');
    },
  };
}
