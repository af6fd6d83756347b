import type { Prng } from '../lib/prng.ts';
import type { Feature } from '../model/rollup.ts';
import { linearQuantile } from './isolation-forest.ts';

/** Robust standardisation of feature rows; medians stand in for missing values. */
export interface ForestScaler {
  median: Float64Array;
  /** Interquartile range over 1.349 (a standard deviation, were the values normal), never 0. */
  scale: Float64Array;
}

const NORMAL_IQR = 1.349;

/**
 * The least range of a feature that means anything, as a part of its median and in its own unit; what lies within is
 * noise. A history without any spread would leave the forest blind: a column that is constant cannot be split, and a
 * service that never failed could then fail unseen.
 */
const LEAST_RANGE: Record<Feature, { relative: number; absolute: number }> = {
  event_count: { relative: 0.05, absolute: 1 },
  error_rate: { relative: 0.05, absolute: 0.01 },
  avg_latency: { relative: 0.05, absolute: 0 },
  p95_latency: { relative: 0.05, absolute: 0 },
  p99_latency: { relative: 0.05, absolute: 0 },
  latency_stddev: { relative: 0.1, absolute: 0 },
  unique_endpoints: { relative: 0.05, absolute: 1 },
  event_velocity: { relative: 0.05, absolute: 0.1 },
};

/** Median and spread of every column; a column without a single value gets median 0 and scale 1. */
export function fitScaler(windows: readonly Float64Array[], features: readonly Feature[]): ForestScaler {
  const median = new Float64Array(features.length);
  const scale = new Float64Array(features.length).fill(1);
  for (let f = 0; f < features.length; f++) {
    const values = Float64Array.from(windows, (row) => row[f] as number)
      .filter(Number.isFinite)
      .sort();
    if (values.length === 0) continue;
    median[f] = linearQuantile(values, 0.5);
    const iqr = linearQuantile(values, 0.75) - linearQuantile(values, 0.25);
    const range = (values.at(-1) as number) - (values[0] as number);
    scale[f] = iqr > 0 ? iqr / NORMAL_IQR : leastRange(features[f] as Feature, median[f] as number) || range || 1;
  }
  return { median, scale };
}

/** Writes a raw row, standardised, to `out`; missing and infinite values become the median, that is 0. */
export function standardise(scaler: ForestScaler, row: ArrayLike<number>, out: Float32Array, at: number): void {
  const { median, scale } = scaler;
  for (let f = 0; f < median.length; f++) {
    const value = row[f] as number;
    out[at + f] = Number.isFinite(value) ? (value - (median[f] as number)) / (scale[f] as number) : 0;
  }
}

/** Spreads every column of standardised rows whose range is below the least one, evenly about its values. */
export function spreadConstantColumns(rows: Float32Array, scaler: ForestScaler, features: readonly Feature[], prng: Prng): void {
  const width = features.length;
  for (let f = 0; f < width; f++) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = f; i < rows.length; i += width) {
      low = Math.min(low, rows[i] as number);
      high = Math.max(high, rows[i] as number);
    }
    const least = leastRange(features[f] as Feature, scaler.median[f] as number) / (scaler.scale[f] as number);
    if (high - low >= least) continue;
    for (let i = f; i < rows.length; i += width) rows[i] = (rows[i] as number) + (prng.next() - 0.5) * least;
  }
}

function leastRange(feature: Feature, median: number): number {
  const { relative, absolute } = LEAST_RANGE[feature];
  return Math.max(relative * Math.abs(median), absolute);
}
