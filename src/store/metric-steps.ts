import type { SeriesKind } from '../model/metric.ts';
import type { BucketGrid } from './bucket-grid.ts';
import type { PointList } from './point-list.ts';

/** How far before the range a total is looked for that its first point is compared with: longer than scrapes are apart. */
export const LOOK_BACK_MS = 300_000;

type Collect = (
  points: PointList,
  from: number,
  to: number,
  grid: BucketGrid,
  add: (time: number, amount: number) => void,
) => void;

/** Gauges and deltas: every point is an amount by itself. */
const collectAmounts: Collect = (points, from, to, grid, add) => {
  for (let row = from; row < to; row++) {
    const time = points.times[row] as number;
    const value = points.values[row] as number;
    if (time >= grid.originMs && !Number.isNaN(value)) add(time, value);
  }
};

/** Totals: the amount is the increase since the point before, or the whole when the total began anew. */
const collectIncreases: Collect = (points, from, to, grid, add) => {
  let previous = -1;
  for (let row = from; row < to; row++) {
    const time = points.times[row] as number;
    const value = points.values[row] as number;
    const start = points.starts[row] as number;
    if (Number.isNaN(value)) continue;
    const isInRange = time >= grid.originMs;
    if (previous < 0) {
      if (isInRange && start >= grid.originMs) add(time, value);
    } else if (isInRange) {
      const before = points.values[previous] as number;
      const isReset = value < before || beganAfter(points, row, previous);
      add(time, isReset ? value : value - before);
    }
    previous = row;
  }
};

/** Whether the total at `row` began later than the one at `previous`; starts that are not known are NaN. */
function beganAfter(points: PointList, row: number, previous: number): boolean {
  const startBefore = points.starts[previous] as number;
  const known = Number.isNaN(startBefore) ? (points.times[previous] as number) : startBefore;
  return (points.starts[row] as number) > known;
}

const COLLECT: Record<SeriesKind, Collect> = {
  gauge: collectAmounts,
  delta: collectAmounts,
  cumulative: collectIncreases,
};

/** Value of each bucket from rows [from, to) of a series, ascending by time, null where it has none: see `MetricStore`. */
export function bucketValues(
  kind: SeriesKind,
  points: PointList,
  rows: { from: number; to: number },
  grid: BucketGrid,
): (number | null)[] {
  const sum = new Float64Array(grid.count);
  const count = new Uint32Array(grid.count);
  COLLECT[kind](points, rows.from, rows.to, grid, (time, amount) => {
    const bucket = Math.floor((time - grid.originMs) / grid.stepMs);
    sum[bucket] = (sum[bucket] as number) + amount;
    count[bucket] = (count[bucket] as number) + 1;
  });
  const stepSeconds = grid.stepMs / 1000;
  return Array.from(sum, (total, bucket) => {
    const counted = count[bucket] as number;
    if (counted === 0) return null;
    return kind === 'gauge' ? total / counted : total / stepSeconds;
  });
}

/** Unit of the values that a series has by step. */
export function stepUnit(kind: SeriesKind, unit: string): string {
  return kind === 'gauge' ? unit : `${unit === '' ? '1' : unit}/s`;
}
