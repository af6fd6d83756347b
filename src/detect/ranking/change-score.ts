/** How much a series changed between a normal and an anomalous window. */
export interface SeriesChange {
  /** Largest deviation of the anomalous window over the deviation a normal window of that length usually reaches; >= 0. */
  score: number;
  direction: 'up' | 'down';
  /** Median of the normal window; NaN when it has no value. */
  usual: number;
  /** The value that deviates most; NaN when the anomalous window has no value. */
  observed: number;
}

/**
 * A change below this share of the level is not worth ranking, however still the series was: constant, held and clipped series
 * have no spread of their own.
 */
const RELATIVE_FLOOR = 0.05;
/** With few normal values the level is uncertain too: the floor at n values is RELATIVE_FLOOR * (1 + UNCERTAINTY / n). */
const UNCERTAINTY = 8;
const SPREAD_PER_IQR = 1 / 1.349;
/** Normal windows are at most this share of the normal rows: fewer than three say nothing about what is usual. */
const WINDOWS_AT_LEAST = 3;
const MAX_WINDOWS = 100;
const TINY = 1e-12;

/** What is known of a series' scale beforehand. */
export interface ChangeScale {
  /** Value from which its size is measured: 100 for a success share in percent, whose 99 and 98 differ by a factor of two. */
  ideal: number;
  /** Least deviation of interest, in the unit of the series. */
  least: number;
}

const FROM_ZERO: ChangeScale = { ideal: 0, least: TINY };

export function finiteSorted(values: ArrayLike<number>): Float64Array {
  const kept = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) kept[count++] = values[i] as number;
  return kept.subarray(0, count).sort();
}

/** Linear between order statistics; NaN for an empty array. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const at = (index: number): number => sorted[index] ?? sorted[low] ?? NaN;
  return sorted.length === 0 ? NaN : at(low) + (position - low) * (at(low + 1) - at(low));
}

export function median(values: ArrayLike<number>): number {
  return quantile(finiteSorted(values), 0.5);
}

export function relativeFloor(count: number): number {
  return RELATIVE_FLOOR * (1 + UNCERTAINTY / Math.max(1, count));
}

/** Starts of the windows of `length` rows that stand for what is normal; empty when there are too few rows. */
export function windowStarts(rows: number, length: number): number[] {
  const starts: number[] = [];
  const stride = Math.max(1, Math.floor(length / 4), Math.floor(rows / MAX_WINDOWS));
  for (let start = 0; start + length <= rows; start += stride) starts.push(start);
  return starts;
}

export function windowLength(normalRows: number, anomalousRows: number): number {
  return Math.min(anomalousRows, Math.floor(normalRows / WINDOWS_AT_LEAST));
}

/** Index of the value farthest outside [low, high]; -1 when none of them is a number. */
function farthest(values: ArrayLike<number>, low: number, high: number, from: number, to: number): number {
  let best = -1;
  let distance = -1;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    const outside = value > high ? value - high : Math.max(0, low - value);
    if (Number.isFinite(value) && outside > distance) [best, distance] = [i, outside];
  }
  return best;
}

/**
 * The largest robust deviation (RobustScorer: Pham et al., "BARO: Robust Root Cause Analysis for Microservices", FSE 2024,
 * section 4.3), in units of what the same statistic usually is over normal windows of the same length rather than of single
 * samples: samples that repeat, drift or burst then excuse themselves. The median over those windows keeps half of them free
 * to be wrong. `recent`: rows just before the anomalous window; a level that already held there is no change.
 */
export function changeScore(
  normal: ArrayLike<number>,
  anomalous: ArrayLike<number>,
  recent: ArrayLike<number> = [],
  { ideal, least }: ChangeScale = FROM_ZERO,
): SeriesChange {
  const sorted = finiteSorted(normal);
  const usual = quantile(sorted, 0.5);
  const before = median(recent);
  const low = Math.min(usual, Number.isNaN(before) ? usual : before);
  const high = Math.max(usual, Number.isNaN(before) ? usual : before);
  const peak = farthest(anomalous, low, high, 0, anomalous.length);
  const observed = peak < 0 ? NaN : (anomalous[peak] as number);
  const change: SeriesChange = { score: 0, direction: observed < low ? 'down' : 'up', usual, observed };
  if (sorted.length < 2 || peak < 0) return change;
  const deviation = Math.max(observed - high, low - observed, 0);
  const spread = usualDeviation(normal, sorted, anomalous.length);
  // A series that never moved tells nothing of its scale but by this move.
  const size = Math.abs(usual - ideal);
  const scale = spread > 0 ? size : Math.max(size, deviation);
  change.score = deviation / Math.max(spread, relativeFloor(sorted.length) * scale, least, TINY);
  return change;
}

function usualDeviation(normal: ArrayLike<number>, sorted: Float64Array, anomalousRows: number): number {
  const length = windowLength(normal.length, anomalousRows);
  const usual = quantile(sorted, 0.5);
  if (length < 2) return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) * SPREAD_PER_IQR;
  const deviations: number[] = [];
  for (const start of windowStarts(normal.length, length)) {
    const peak = farthest(normal, usual, usual, start, start + length);
    if (peak >= 0) deviations.push(Math.abs((normal[peak] as number) - usual));
  }
  return median(deviations);
}
