import { FEATURES, type Feature } from '../model/rollup.ts';
import type { FeatureValues } from './window-features.ts';

/**
 * Usual value and spread of every feature for one window length: decayed mean and mean absolute deviation of clipped
 * values (Huber 1964), on a log scale for what is positive and skewed. It says what was expected; it does not fire.
 */
export interface FeatureBaseline {
  count: number;
  centre: Float64Array;
  spread: Float64Array;
  seen: Float64Array;
}

export interface ExpectedBand {
  expected: number;
  low: number;
  high: number;
  /** Signed deviation of the observed value in spreads. */
  deviation: number;
}

const LINEAR: ReadonlySet<Feature> = new Set(['event_velocity', 'error_rate']);
const MIN_GAIN = 0.01;
const CLIP = 4;
const MIN_LOG_SPREAD = 0.04;
const BAND_SPREADS = 3;
const MAD_TO_SIGMA = 1.25;

export function createFeatureBaseline(): FeatureBaseline {
  const zeros = (): Float64Array => new Float64Array(FEATURES.length);
  return { count: 0, centre: zeros(), spread: zeros(), seen: zeros() };
}

const isLinear = (index: number): boolean => LINEAR.has(FEATURES[index] as Feature);
const inward = (index: number, value: number): number => (isLinear(index) ? value : Math.log(value + 1e-3));
const outward = (index: number, value: number): number => (isLinear(index) ? value : Math.max(0, Math.exp(value) - 1e-3));

/** Adds the features of one window; NaN features are left out. */
export function learnFeatures(state: FeatureBaseline, values: FeatureValues): void {
  state.count++;
  for (let i = 0; i < FEATURES.length; i++) {
    const raw = values[i] as number;
    if (Number.isNaN(raw)) continue;
    const value = inward(i, raw);
    const seen = state.seen[i] as number;
    const centre = state.centre[i] as number;
    const spread = state.spread[i] as number;
    const gain = Math.max(MIN_GAIN, 1 / (seen + 1));
    const limit = seen < 10 ? Infinity : CLIP * Math.max(spread, MIN_LOG_SPREAD);
    const step = Math.max(-limit, Math.min(limit, value - centre));
    state.centre[i] = seen === 0 ? value : centre + gain * step;
    if (seen > 0) state.spread[i] = spread + gain * (MAD_TO_SIGMA * Math.abs(step) - spread);
    state.seen[i] = seen + 1;
  }
}

/** What was expected of a feature and how far `observed` is from it; undefined before three windows were learned. */
export function expectedBand(state: FeatureBaseline, index: number, observed: number): ExpectedBand | undefined {
  if ((state.seen[index] as number) < 3) return undefined;
  const centre = state.centre[index] as number;
  const floor = isLinear(index) ? 1e-6 : MIN_LOG_SPREAD;
  const spread = Math.max(floor, state.spread[index] as number);
  return {
    expected: outward(index, centre),
    low: outward(index, centre - BAND_SPREADS * spread),
    high: outward(index, centre + BAND_SPREADS * spread),
    deviation: (inward(index, observed) - centre) / spread,
  };
}
