import type { Session } from './database.ts';

/** `level` of open_rollups: what has changed since it was last summed up from the level below. */
export const HOUR_LEVEL = 1;
export const DAY_LEVEL = 2;
export const HOURS_PER_DAY = 24;

/** Names a row of a rollup table; `period` is a number of minutes, hours or days since the epoch. */
export interface RollupKey {
  period: number;
  stream: number;
}

export type RollupTable = 'minute_rollups' | 'hour_rollups' | 'day_rollups';

/** Columns for unnest. */
export function columnsOf(keys: readonly RollupKey[]): [periods: number[], streams: number[]] {
  return [keys.map(({ period }) => period), keys.map(({ stream }) => stream)];
}

/**
 * Data of the rows of one partition with these keys times `width` and the `width - 1` periods after; `key` is the key's index. One look-up
 * a row, whatever the planner believes of the tables: LIMIT keeps it from reading them whole.
 */
export async function readRollups(
  session: Session,
  table: RollupTable,
  partition: number,
  keys: readonly RollupKey[],
  width = 1,
): Promise<{ key: number; data: Uint8Array }[]> {
  const { rows } = await session.query(
    `SELECT k.place::integer - 1 AS key, r.data
     FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS k(period, stream, place)
     CROSS JOIN generate_series(0, $4::integer - 1) AS s(step)
     CROSS JOIN LATERAL (SELECT data FROM ${table}
       WHERE period = k.period * $4::integer + s.step AND stream = k.stream AND log_partition = $3 LIMIT 1) AS r`,
    [...columnsOf(keys), partition, width],
  );
  return rows as { key: number; data: Uint8Array }[];
}

/** Inserts or replaces rows of one partition; all blobs go as one value, cut apart by the server. */
export async function writeRollups(
  session: Session,
  table: RollupTable,
  partition: number,
  keys: readonly RollupKey[],
  blobs: readonly Uint8Array[],
): Promise<void> {
  const starts: number[] = [];
  let start = 1;
  for (const blob of blobs) {
    starts.push(start);
    start += blob.length;
  }
  await session.query(
    `INSERT INTO ${table} (period, stream, log_partition, data)
     SELECT period, stream, $3::integer, substring($6::bytea FROM first FOR length)
     FROM unnest($1::bigint[], $2::bigint[], $4::integer[], $5::integer[]) AS r(period, stream, first, length)
     ON CONFLICT (period, stream, log_partition) DO UPDATE SET data = excluded.data`,
    [...columnsOf(keys), partition, starts, blobs.map(({ length }) => length), Buffer.concat(blobs)],
  );
}
