import type { ControlMessage } from '../../model/alert.ts';
import { controlKey } from '../../model/alert.ts';
import type { Database, Session } from './database.ts';
import { storableJson } from './storable-text.ts';

/** Resolves when the log has the message. */
export type SendControl = (key: string, message: ControlMessage) => Promise<void>;

/** Names the advisory lock: "HLCO". */
const LOCK = 0x48_4c_43_4f;
const AT_ONCE = 100;

/**
 * Keeps decisions, inside of the transaction that carries them out, until they are sent. As with the outbox a lock makes the order of
 * ids that of commits.
 */
export async function enqueueControl(session: Pick<Session, 'query'>, messages: readonly ControlMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await session.query('SELECT pg_advisory_xact_lock($1, 0)', [LOCK]);
  for (const message of messages) {
    await session.query('INSERT INTO control_outbox (key, message) VALUES ($1, $2::text::jsonb)', [
      controlKey(message),
      storableJson(message),
    ]);
  }
}

/**
 * Sends what waits, in order, and forgets what was sent; returns how many. One process at a time does: another gets 0. A message may be sent
 * twice when the database fails in between, and means the same then.
 */
export async function drainControl(database: Database, send: SendControl): Promise<number> {
  return database.transaction(async (session) => {
    const { rows: locks } = await session.query('SELECT pg_try_advisory_xact_lock($1, 1) AS held', [LOCK]);
    if (locks[0]?.['held'] !== true) return 0;
    const { rows } = await session.query('SELECT id, key, message FROM control_outbox ORDER BY id LIMIT $1', [AT_ONCE]);
    for (const { key, message } of rows) await send(key as string, message as ControlMessage);
    if (rows.length > 0) await session.query('DELETE FROM control_outbox WHERE id <= $1', [Number(rows.at(-1)?.['id'])]);
    return rows.length;
  });
}
