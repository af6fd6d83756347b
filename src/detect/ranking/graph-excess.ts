import { finiteSorted, median, quantile, relativeFloor, windowLength, windowStarts } from './change-score.ts';
import type { RankedSeries } from './metric-input.ts';
import type { MetricRole } from './metric-role.ts';

/** The series, by name, through which the symptom is followed down the calls. */
export interface Channel {
  name: string;
  role: MetricRole;
  /** Success share of a healthy entity: 1 or 100. */
  ceiling: number;
  /** Its part in the symptom; those of all channels add up to 1. */
  weight: number;
}

/** Value of a cell in units that are bad when large and add up over calls. */
function burden(role: MetricRole, value: number, ceiling: number): number {
  return role === 'success' ? (ceiling - value) / ceiling : value;
}

function amounts(
  values: ArrayLike<number>,
  counts: ArrayLike<number> | undefined,
  role: MetricRole,
  ceiling: number,
): Float64Array {
  return Float64Array.from(values, (value, row) => {
    const calls = counts === undefined ? 1 : (counts[row] ?? 0);
    return Number.isFinite(value) && Number.isFinite(calls) ? burden(role, value, ceiling) * calls : 0;
  });
}

function minus(
  totals: Float64Array,
  values: ArrayLike<number>,
  counts: ArrayLike<number> | undefined,
  level: number,
): Float64Array {
  return totals.map((total, row) => {
    const calls = counts === undefined ? 1 : (counts[row] ?? 0);
    return Number.isFinite(values[row]) && Number.isFinite(calls) ? total - level * calls : 0;
  });
}

function sum(values: ArrayLike<number>, from = 0, to = values.length): number {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i] as number;
  return total;
}

/** What the same sum usually comes to over normal windows of the same length. */
function usualAmount(normal: Float64Array, rows: number): number {
  const length = windowLength(normal.length, rows);
  if (length < 1) return 0;
  const sums = windowStarts(normal.length, length).map((start) => Math.abs(sum(normal, start, start + length)));
  return (median(sums) * rows) / length;
}

/**
 * The symptom of one entity as an amount that adds up along calls: extra seconds spent, or extra calls failed, in the anomalous
 * window, shrunk by what is usual; >= 0. `counts`: its calls per row in the same rows, or absent when calls are not counted (then
 * every row weighs the same). The level is the worse of the long normal one and that of the rows just before.
 */
export function excessOf(series: RankedSeries, counts: RankedSeries | undefined, { role, ceiling }: Channel): number {
  const sorted = finiteSorted(series.normal);
  const long = burden(role, quantile(sorted, 0.5), ceiling);
  const recent = series.recent === undefined ? NaN : burden(role, median(series.recent), ceiling);
  const level = Math.max(Number.isNaN(long) ? -Infinity : long, Number.isNaN(recent) ? -Infinity : recent);
  const totals = amounts(series.normal, counts?.normal, role, ceiling);
  if (level === -Infinity) return 0;
  const normal = minus(totals, series.normal, counts?.normal, long);
  const now = amounts(series.anomalous, counts?.anomalous, role, ceiling);
  const above = sum(minus(now, series.anomalous, counts?.anomalous, level));
  const callsNow = counts === undefined ? series.anomalous.length : sum(finiteSorted(counts.anomalous));
  const noise = Math.max(usualAmount(normal, series.anomalous.length), relativeFloor(sorted.length) * Math.abs(level) * callsNow);
  // Positive-part shrinkage (James and Stein, 1961): what is no larger than usual counts for nothing.
  return above <= 0 ? 0 : above * Math.max(0, 1 - (noise / above) ** 2);
}
