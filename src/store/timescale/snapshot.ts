import { HeliosError } from '../../lib/errors.ts';
import type { Database, Session } from './database.ts';
import { isConnectionLost } from './errors.ts';

function readOnce<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T> {
  return database.transaction(async (session) => {
    await session.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    return work(session);
  });
}

/**
 * Runs reads on one snapshot of the database, whatever is committed meanwhile. When the connection is lost they are run once more, from the
 * start, on another one: a pool finds out that its connections are dead only by using them.
 */
export async function snapshot<T>(database: Database, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await readOnce(database, work);
  } catch (error) {
    if (!(error instanceof HeliosError) || error.code !== 'unavailable' || !isConnectionLost(error)) throw error;
    return readOnce(database, work);
  }
}
