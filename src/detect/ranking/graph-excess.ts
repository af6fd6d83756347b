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

/** The symptom as an amount that adds up along calls: extra seconds spent, or extra calls failed. */
export interface Excess {
  /** Amount above normal in the anomalous window, shrunk by what is usual; >= 0. */
  amount: number;
  /** The same by row. */
  perRow: number;
  /** Amount above normal by normal row, signed; 0 where missing. */
  normal: Float64Array;
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
 * Excess of one entity in its series of the channel. `counts`: its calls per row in the same rows, or absent when calls are not counted (then every row
 * weighs the same). The level is the worse of the long normal one and that of the rows just before.
 */
export function excessOf(series: RankedSeries, counts: RankedSeries | undefined, { role, ceiling }: Channel): Excess {
  const sorted = finiteSorted(series.normal);
  const long = burden(role, quantile(sorted, 0.5), ceiling);
  const recent = series.recent === undefined ? NaN : burden(role, median(series.recent), ceiling);
  const level = Math.max(Number.isNaN(long) ? -Infinity : long, Number.isNaN(recent) ? -Infinity : recent);
  const totals = amounts(series.normal, counts?.normal, role, ceiling);
  if (level === -Infinity) return { amount: 0, perRow: 0, normal: totals };
  const normal = minus(totals, series.normal, counts?.normal, long);
  const now = amounts(series.anomalous, counts?.anomalous, role, ceiling);
  const above = sum(minus(now, series.anomalous, counts?.anomalous, level));
  const callsNow = counts === undefined ? series.anomalous.length : sum(finiteSorted(counts.anomalous));
  const noise = Math.max(usualAmount(normal, series.anomalous.length), relativeFloor(sorted.length) * Math.abs(level) * callsNow);
  // Positive-part shrinkage (James and Stein, 1961): what is no larger than usual counts for nothing.
  const amount = above <= 0 ? 0 : above * Math.max(0, 1 - (noise / above) ** 2);
  return { amount, perRow: amount / Math.max(1, series.anomalous.length), normal };
}

/** How sure we are beforehand that a caller waits for its callee: spread of the slope around 1. */
const SLOPE_SPREAD = 0.5;
/** A quiet row tells of the slope when the callee moved at least this share of what it moves now. */
const COMPARABLE = 0.25;

/**
 * Share of a callee's extra time (or failures) that reaches its caller, 0..1: the slope of one on the other over normal rows,
 * Bayesian with mean 1. Only rows in which the callee moved by about `perRow`, its present excess, count: smaller moves drown in
 * the caller's own noise. So "callers wait" holds until a history shows the callee as slow as now and the caller unmoved, which
 * is how asynchronous calls are found out.
 */
export function passedOn(caller: Float64Array, callee: Float64Array, perRow: number): number {
  const rows = Math.min(caller.length, callee.length);
  const least = COMPARABLE * perRow;
  let [both, own, noise] = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    const moved = callee[i] as number;
    noise += (caller[i] as number) ** 2;
    if (Math.abs(moved) < least) continue;
    both += (caller[i] as number) * moved;
    own += moved * moved;
  }
  if (own === 0) return 1;
  const prior = noise / rows / SLOPE_SPREAD ** 2;
  return prior === 0 ? 0 : Math.min(1, Math.max(0, (both + prior) / (own + prior)));
}
