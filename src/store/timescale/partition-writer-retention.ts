import { HOUR_MS } from '../rollup/rollup-key.ts';
import type { Session } from './database.ts';
import { deleteDocuments } from './document-writer.ts';
import { deleteModels } from './model-writer.ts';
import { DAY_LEVEL, HOUR_LEVEL, HOURS_PER_DAY } from './rollup-table.ts';
import { deleteTemplates } from './template-writer.ts';

/** What all partitions share is removed by one writer at a time; the others leave it to that one. */
const TRY_LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('helios retention', 0)) AS is_locked`;

/**
 * Removes what is older than `beforeMs`; the caller holds the transaction. Rollups go by whole hours. A day of which only a part is left
 * is open again, to be summed up from its remaining hours. Names stay: their ids are never given to others, and without times they
 * are not shown.
 */
export async function removeBefore(session: Session, partition: number, beforeMs: number): Promise<void> {
  const hour = Math.floor(beforeMs / HOUR_MS);
  const wholeDay = Math.ceil(hour / HOURS_PER_DAY);
  await session.query('DELETE FROM minute_rollups WHERE period < $1 AND log_partition = $2', [hour * 60, partition]);
  await session.query('DELETE FROM hour_rollups WHERE period < $1 AND log_partition = $2', [hour, partition]);
  await session.query('DELETE FROM day_rollups WHERE period < $1 AND log_partition = $2', [wholeDay, partition]);
  await session.query(
    `DELETE FROM open_rollups WHERE log_partition = $1 AND ((level = $2 AND period < $3) OR (level = $4 AND period < $5))`,
    [partition, HOUR_LEVEL, hour, DAY_LEVEL, wholeDay - 1],
  );
  await session.query(
    `INSERT INTO open_rollups (level, period, stream, log_partition)
     SELECT DISTINCT $1::smallint, $2::bigint, stream, log_partition FROM hour_rollups
     WHERE period >= $3 AND period < ($2::bigint + 1) * $4::integer AND log_partition = $5 ON CONFLICT DO NOTHING`,
    [DAY_LEVEL, wholeDay - 1, hour, HOURS_PER_DAY, partition],
  );
  await session.query('DELETE FROM entity_times WHERE last_seen_ms < $1 AND log_partition = $2', [hour * HOUR_MS, partition]);
  const { rows } = await session.query(TRY_LOCK);
  if (rows[0]?.['is_locked'] !== true) return;
  await deleteTemplates(session, beforeMs);
  await deleteDocuments(session, beforeMs);
  await deleteModels(session, beforeMs);
}
