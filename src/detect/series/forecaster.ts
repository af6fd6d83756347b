import { createForecastContest } from './forecast-contest.ts';
import type { ForecastContest } from './forecast-contest.ts';
import { createRing, pushRing, quantileOf, sortedRing } from './ring-quantile.ts';
import type { Ring } from './ring-quantile.ts';

/** One opinion of what comes next, and how wrong it has been. Plain data. */
export interface Forecaster {
  /** NaN while it has none. */
  forecast: number;
  /** One robust standard deviation of its errors, floors included; 0 when nothing ever moved. */
  spread: number;
  /** The same from the 5 to 95 % range of its errors where that is wider: what a series with a heavy middle does every day is usual. */
  wideSpread: number;
  errors: Ring;
  /** Mean size of its errors, over about the last `MEAN_POINTS`. */
  meanError: number;
  count: number;
  contest: ForecastContest;
}

const ERRORS = 128;
const MIN_ERRORS = 12;
const MEAN_POINTS = 4096;
const SPREAD_PER_IQR = 1 / 1.349;
const SPREAD_PER_WIDE_RANGE = 1 / 3.29;
/**
 * Share of the mean absolute error that the spread is at least. A normal distribution's is 0.8 of its standard deviation, of which this is half, so
 * it never matters there; it is what a series that rests most of the time has for a spread, whose quartiles are 0.
 */
const MEAN_SHARE = 0.5;

export function createForecaster(): Forecaster {
  return {
    forecast: NaN,
    spread: 0,
    wideSpread: 0,
    errors: createRing(ERRORS),
    meanError: 0,
    count: 0,
    contest: createForecastContest(),
  };
}

/** Notes how wrong the present forecast was; `sampled` errors also enter the quartiles. */
export function noteError(forecaster: Forecaster, value: number, sampled: boolean): void {
  const error = value - forecaster.forecast;
  if (Number.isNaN(error)) return;
  forecaster.count = Math.min(forecaster.count + 1, MEAN_POINTS);
  forecaster.meanError += (Math.abs(error) - forecaster.meanError) / forecaster.count;
  if (sampled) pushRing(forecaster.errors, error);
}

/** Interquartile range in standard deviations of a normal distribution (Rousseeuw and Croux 1993, section 1). */
export function robustSpread(sorted: Float32Array): number {
  return (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)) * SPREAD_PER_IQR;
}

/** `range` stands in while there are few errors; `floor` and `wideFloor` are added to the two spreads. */
export function refreshSpread(forecaster: Forecaster, range: number, floor: number, wideFloor: number): void {
  const sorted = sortedRing(forecaster.errors);
  const isYoung = sorted.length < MIN_ERRORS;
  const spread = Math.max(isYoung ? range : robustSpread(sorted), MEAN_SHARE * forecaster.meanError);
  const wide = isYoung ? range : (quantileOf(sorted, 0.95) - quantileOf(sorted, 0.05)) * SPREAD_PER_WIDE_RANGE;
  forecaster.spread = spread + floor;
  forecaster.wideSpread = Math.max(spread, wide) + wideFloor;
}

const SATURATION = 50;
const LARGEST_RATIO = 1e6;

/** Signed deviation in `spread`s; beyond 50 it grows with the logarithm only, so that a spread of nearly 0 stays comparable. */
export function deviation(forecaster: Forecaster, value: number, spread = forecaster.spread): number {
  const error = value - forecaster.forecast;
  if (Number.isNaN(error) || error === 0) return 0;
  const size = Math.abs(error);
  const ratio = Math.min(size / spread, LARGEST_RATIO);
  return Math.sign(error) * (ratio <= SATURATION ? ratio : SATURATION * (1 + Math.log(ratio / SATURATION) / 10));
}
