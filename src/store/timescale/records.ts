import { checkKeys, keyRange } from '../record-store.ts';
import type { RecordStore, RecordWrite, StoredRecord } from '../record-store.ts';
import type { Database, Row, Session } from './database.ts';
import { storableJson } from './storable-text.ts';

function recordOf(row: Row): StoredRecord {
  return { key: row['key'] as string, revision: Number(row['revision']), value: row['value'] };
}

/** Writers of a key wait for each other, in one order, also while there is no row to lock. */
async function lockKeys(session: Session, keys: readonly string[]): Promise<void> {
  await session.query('SELECT pg_advisory_xact_lock(hashtext(k)) FROM unnest($1::text[]) AS k ORDER BY hashtext(k)', [
    keys.map((key) => `record ${key}`),
  ]);
}

async function writeAll(session: Session, writes: readonly RecordWrite[]): Promise<boolean> {
  const keys = writes.map(({ key }) => key);
  await lockKeys(session, keys);
  const { rows } = await session.query('SELECT key, revision FROM records WHERE key = ANY($1::text[])', [keys]);
  const found = new Map(rows.map((row) => [row['key'] as string, Number(row['revision'])]));
  if (writes.some(({ key, revision }) => (found.get(key) ?? 0) !== revision)) return false;
  const removed = writes.filter(({ value }) => value === undefined);
  const stored = writes.filter(({ value }) => value !== undefined);
  await session.query('DELETE FROM records WHERE key = ANY($1::text[])', [removed.map(({ key }) => key)]);
  await session.query(
    `INSERT INTO records (key, value) SELECT r.key, r.value::jsonb FROM unnest($1::text[], $2::text[]) AS r (key, value)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = nextval('record_revisions')`,
    [stored.map(({ key }) => key), stored.map(({ value }) => storableJson(value))],
  );
  return true;
}

/** Records in the database, whichever process asks. */
export function openRecordStore(database: Database): RecordStore {
  return {
    async get(keys) {
      const { rows } = await database.query('SELECT key, revision, value FROM records WHERE key = ANY($1::text[])', [keys]);
      return rows.map(recordOf);
    },
    async list({ limit, ...range }) {
      const { from, isAfter, to } = keyRange(range);
      const { rows } = await database.query(
        `SELECT key, revision, value FROM records WHERE key ${isAfter ? '>' : '>='} $1 AND key < $2 ORDER BY key LIMIT $3`,
        [from, to, limit],
      );
      return rows.map(recordOf);
    },
    async write(writes) {
      checkKeys(writes.map(({ key }) => key));
      return database.transaction((session) => writeAll(session, writes));
    },
  };
}
