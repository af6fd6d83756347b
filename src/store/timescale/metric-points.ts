import { tooManyPoints } from '../bucket-grid.ts';
import { PointList } from '../point-list.ts';
import type { Database } from './database.ts';
import { POINT_COLUMNS, readColumns } from './metric-columns.ts';
import { boundarySeconds } from './metric-time.ts';

export interface PointRange {
  /** Inclusive and exclusive, milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  maxPoints: number;
  /** Read by one query, unless one series has more. */
  slicePoints: number;
}

const INSIDE = 'series = ANY($1) AND time >= to_timestamp($2) AND time < to_timestamp($3)';

/** Series that have points in the range, in slices that one query may read. */
async function slicesOf(
  database: Database,
  ids: readonly number[],
  { fromMs, toMs, maxPoints, slicePoints }: PointRange,
): Promise<number[][]> {
  const { rows } = await database.query(
    `SELECT series, count(*) AS points FROM (SELECT series FROM metrics WHERE ${INSIDE} LIMIT $4) found GROUP BY series ORDER BY series`,
    [ids, boundarySeconds(fromMs), boundarySeconds(toMs), maxPoints + 1],
  );
  const slices: number[][] = [];
  let total = 0;
  let inSlice = Infinity;
  for (const row of rows) {
    const points = Number(row['points']);
    if ((total += points) > maxPoints) throw tooManyPoints(maxPoints);
    if (inSlice + points > slicePoints) {
      slices.push([]);
      inSlice = 0;
    }
    inSlice += points;
    slices.at(-1)?.push(Number(row['series']));
  }
  return slices;
}

/**
 * Calls `visit` for each of the series that has points in the range, in order of their ids, with those, ascending by time; the list is
 * used again after the call. `invalid_argument`, field "from", when there are more than `maxPoints`.
 */
export async function readPoints(
  database: Database,
  ids: readonly number[],
  range: PointRange,
  visit: (id: number, points: PointList) => void,
): Promise<void> {
  if (ids.length === 0) return;
  const points = new PointList();
  for (const slice of await slicesOf(database, ids, range)) {
    const { rows } = await database.query(
      `SELECT series, ${POINT_COLUMNS} FROM (
         SELECT series, time, value, start_ms FROM metrics WHERE ${INSIDE} ORDER BY series, time
       ) found GROUP BY series ORDER BY series`,
      [slice, boundarySeconds(range.fromMs), boundarySeconds(range.toMs)],
    );
    for (const row of rows) {
      points.clear();
      readColumns(row, points);
      // Aggregates usually take their rows in the order of what is below them; nobody promises it.
      points.settle();
      visit(Number(row['series']), points);
    }
  }
}
