import type { Database, Session } from './database.ts';
import { storableJson } from './storable-text.ts';

/** What consoles announce: the body is the document. */
export interface OutboxEntry {
  event: 'anomaly' | 'incident' | 'change' | 'report';
  body: unknown;
}

export interface OutboxRow {
  id: number;
  event: string;
  body: unknown;
}

export interface Outbox {
  /** Calls `onNews` soon after something was added, and when that may have been missed. */
  listen(onNews: () => void): AsyncDisposable;
  /** Rows after `afterId`, oldest first; none ever appears behind one that was read. */
  read(afterId: number, limit: number): Promise<OutboxRow[]>;
  /** 0 when nothing was ever written. */
  newestId(): Promise<number>;
  /** Removes rows older than `keepMs` but for the newest; returns how many. */
  trim(keepMs: number): Promise<number>;
}

/** Names the advisory lock: "HLOB". */
const LOCK = 0x48_4c_4f_42;
const CHANNEL = 'helios_outbox';

/**
 * Adds entries, in this order, inside of the caller's transaction, which should end soon. Whoever adds holds a lock until then: ids are thus given
 * out in the order in which they become visible, and a reader that goes by them misses none.
 */
export async function appendOutbox(session: Pick<Session, 'query'>, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  // Who listens hears of it when the transaction is committed.
  await session.query(`SELECT pg_advisory_xact_lock($1), pg_notify('${CHANNEL}', '')`, [LOCK]);
  await session.query(
    `INSERT INTO outbox (event, body)
     SELECT e.event, e.body::jsonb FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e (event, body, number) ORDER BY e.number`,
    [entries.map(({ event }) => event), entries.map(({ body }) => storableJson(body))],
  );
}

export function createOutbox(database: Database): Outbox {
  return {
    listen: (onNews) => database.listen(CHANNEL, onNews),
    async read(afterId, limit) {
      const { rows } = await database.query('SELECT id, event, body FROM outbox WHERE id > $1 ORDER BY id LIMIT $2', [
        afterId,
        limit,
      ]);
      return rows.map(({ id, event, body }) => ({ id: Number(id), event: event as string, body }));
    },
    async newestId() {
      const { rows } = await database.query('SELECT coalesce(max(id), 0) AS id FROM outbox');
      return Number(rows[0]?.['id']);
    },
    async trim(keepMs) {
      const { rowCount } = await database.query(
        `DELETE FROM outbox WHERE at < now() - make_interval(secs => $1::float8 / 1000) AND id < (SELECT max(id) FROM outbox)`,
        [keepMs],
      );
      return rowCount;
    },
  };
}
