import { createForecaster } from './forecaster.ts';
import type { Forecaster } from './forecaster.ts';
import { createRing } from './ring-quantile.ts';
import type { Ring } from './ring-quantile.ts';
import { createSlotProfile } from './slot-profile.ts';
import type { SlotProfile } from './slot-profile.ts';

/** Everything learned of one series; plain data, about 12 KB, survives a structured clone. */
export interface SeriesState {
  /** First value: all others are held as offsets from it, so that 32-bit floats keep small changes of large values. */
  origin: number;
  age: number;
  /** Every value so far was a whole number: a count. */
  whole: boolean;
  /** Points since the last that entered `history`. */
  sinceSample: number;
  samples: number;
  history: Ring;
  /** Slow: the median of up to two weeks. */
  level: Forecaster;
  day: Forecaster;
  week: Forecaster;
  /** Quick: an exponentially weighted mean of the last few points. */
  fast: Forecaster;
  dayProfile: SlotProfile;
  weekProfile: SlotProfile;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const HISTORY = 384;
const HISTORY_MS = 14 * DAY_MS;
const DAY_VISITS = 12;
const WEEK_VISITS = 3;

export function createSeriesState(stepMs: number): SeriesState {
  return {
    origin: NaN,
    age: 0,
    whole: true,
    sinceSample: 0,
    samples: 0,
    history: createRing(HISTORY),
    level: createForecaster(),
    day: createForecaster(),
    week: createForecaster(),
    fast: createForecaster(),
    dayProfile: createSlotProfile(DAY_MS, 15 * MINUTE_MS, DAY_VISITS, stepMs),
    weekProfile: createSlotProfile(7 * DAY_MS, 60 * MINUTE_MS, WEEK_VISITS, stepMs),
  };
}

/**
 * Points from one sample of the history to the next. It grows with age, so that the history reaches over most of a young
 * series' life and over two weeks of an old one's.
 */
export function sampleStride(age: number, stepMs: number): number {
  return Math.max(1, Math.round(Math.min(age / (HISTORY / 2), HISTORY_MS / stepMs / HISTORY)));
}
