import type { DatabaseSync } from 'node:sqlite';
import { checkKeys, keyRange } from '../record-store.ts';
import type { RecordStore, RecordWrite, StoredRecord } from '../record-store.ts';
import { transaction } from './database.ts';
import { storeError } from './sqlite-errors.ts';

interface RecordRow {
  key: string;
  revision: number;
  value: string;
}

function recordOf({ key, revision, value }: RecordRow): StoredRecord {
  return { key, revision, value: JSON.parse(value) as unknown };
}

function attempt<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeError(action, error);
  }
}

/** Records over one connection, outside the pipeline. */
export function openRecordStore(database: DatabaseSync): RecordStore {
  const columns = 'SELECT key, revision, value FROM record';
  const selectOne = database.prepare(`${columns} WHERE key = ?`);
  const selectFrom = database.prepare(`${columns} WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`);
  const selectAfter = database.prepare(`${columns} WHERE key > ? AND key < ? ORDER BY key LIMIT ?`);
  const replace = database.prepare('REPLACE INTO record (key, value) VALUES (?, ?)');
  const remove = database.prepare('DELETE FROM record WHERE key = ?');
  const find = (key: string): RecordRow | undefined => selectOne.get(key) as unknown as RecordRow | undefined;

  const writeAll = (writes: readonly RecordWrite[]): boolean => {
    if (writes.some(({ key, revision }) => (find(key)?.revision ?? 0) !== revision)) return false;
    for (const { key, value } of writes) {
      if (value === undefined) remove.run(key);
      else replace.run(key, JSON.stringify(value));
    }
    return true;
  };
  return {
    get: async (keys) =>
      attempt('read records', () =>
        keys
          .map(find)
          .filter((row) => row !== undefined)
          .map(recordOf),
      ),
    async list({ limit, ...range }) {
      const { from, isAfter, to } = keyRange(range);
      const rows = attempt('list records', () => (isAfter ? selectAfter : selectFrom).all(from, to, limit));
      return (rows as unknown as RecordRow[]).map(recordOf);
    },
    async write(writes) {
      checkKeys(writes.map(({ key }) => key));
      return attempt('write records', () => transaction(database, () => writeAll(writes)));
    },
  };
}
