import type { Database, Session } from './database.ts';
import { boundarySeconds } from './metric-time.ts';

/** Deleted by one statement: what a lock is held for, and a replica has to follow. */
const SLICE_ROWS = 50_000;

export interface MetricRetention {
  partition: number;
  /** Milliseconds since the epoch. */
  beforeMs: number;
}

/**
 * Removes the partition's series whose last point is before a time, with their points; inside of a transaction that holds the
 * partition, so that none of them is being written. Returns their ids.
 */
export async function removeStaleSeries(session: Session, { partition, beforeMs }: MetricRetention): Promise<Set<number>> {
  const { rows } = await session.query(
    `DELETE FROM metric_series WHERE log_partition = $1 AND last_seen_ms < $2
     AND NOT EXISTS (SELECT FROM metrics WHERE series = id AND time >= to_timestamp($3)) RETURNING id`,
    [partition, beforeMs, boundarySeconds(beforeMs)],
  );
  const removed = rows.map(({ id }) => Number(id));
  if (removed.length > 0) await session.query('DELETE FROM metrics WHERE series = ANY($1)', [removed]);
  return new Set(removed);
}

/** Removes old points of series that have newer ones: whole chunks where there are chunks, else row by row. */
export async function removeOldPoints(database: Database, { partition, beforeMs }: MetricRetention): Promise<void> {
  const before = boundarySeconds(beforeMs);
  if (database.supports.timescale !== null) {
    // Chunks hold points of all partitions: one of them is enough.
    if (partition === 0) await database.query(`SELECT drop_chunks('metrics', to_timestamp($1))`, [before]);
    return;
  }
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM metrics m USING (
         SELECT series, time FROM metric_series JOIN metrics ON series = id WHERE log_partition = $1 AND time < to_timestamp($2) LIMIT $3
       ) old WHERE m.series = old.series AND m.time = old.time`,
      [partition, before, SLICE_ROWS],
    );
    if (rowCount < SLICE_ROWS) return;
  }
}
