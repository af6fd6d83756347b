import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { databasePath, STORE_DATABASE } from './database.ts';

/**
 * The offset up to which the store in `dir` knows the log, read before anything is opened for good; 0 when there is no store
 * or it cannot be read: whoever opens it then says why.
 */
export function readCommittedOffset(dir: string, kind = STORE_DATABASE): number {
  const path = databasePath(dir, kind);
  if (!existsSync(path)) return 0;
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const offset = database.prepare('SELECT next_offset FROM progress').get()?.['next_offset'];
    return typeof offset === 'number' ? offset : 0;
  } catch {
    return 0;
  }
}
