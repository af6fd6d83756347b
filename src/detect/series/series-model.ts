import { createForecastContest, isWon, playRound } from './forecast-contest.ts';
import type { ForecastContest } from './forecast-contest.ts';
import { createPeakSpread, learnPeakSpread } from './peak-spread.ts';
import type { PeakSpread } from './peak-spread.ts';
import { createRing, pushRing, quantileOf, sortedRing } from './ring-quantile.ts';
import type { Ring } from './ring-quantile.ts';
import { createSlotProfile, learnSlotProfile, readSlotProfile } from './slot-profile.ts';
import type { SlotProfile } from './slot-profile.ts';

/** What a series' own history says of one value. Filled in place by `SeriesModel.read`. */
export interface SeriesReading {
  /** Robust centre expected at this time, in the unit of the series; NaN before there is any history. */
  expected: number;
  /** Robust spread around it, one standard deviation, in the unit of the series; > 0. */
  spread: number;
  /** Signed deviation in spreads, minimum effects applied; 0 for a missing value or before `MIN_POINTS` points. */
  residual: number;
}

/** Points before a reading is compared with anything. */
export const MIN_POINTS = 30;

interface Forecaster {
  forecast: number;
  spread: number;
  errors: Ring;
  contest: ForecastContest;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SPREAD_PER_IQR = 1 / 1.349;
const LEVEL_FLOOR = 0.05;
const RANGE_FLOOR = 0.2;
const HISTORY = 512;
const HISTORY_MS = 14 * DAY_MS;
const ERRORS = 256;
const MIN_ERRORS = 12;
const EVERY = 8;
const TINY = 1e-9;

const createForecaster = (): Forecaster => ({
  forecast: NaN,
  spread: 1,
  errors: createRing(ERRORS),
  contest: createForecastContest(),
});

/**
 * The history of one series on a grid of any step: robust level and spread. Causal: `read` judges a value by what was
 * learned before it.
 */
export class SeriesModel {
  readonly stepMs: number;
  readonly #stride: number;
  readonly #history = createRing(HISTORY);
  readonly #level = createForecaster();
  readonly #day = createForecaster();
  readonly #week = createForecaster();
  readonly #dayProfile: SlotProfile;
  readonly #weekProfile: SlotProfile;
  readonly #peaks: PeakSpread = createPeakSpread();
  #origin = NaN;
  #residual = 0;
  #age = 0;

  constructor(stepMs: number) {
    this.stepMs = stepMs;
    this.#stride = Math.max(1, Math.round(HISTORY_MS / stepMs / HISTORY));
    this.#dayProfile = createSlotProfile(DAY_MS, Math.max(stepMs, 15 * MINUTE_MS), 14, stepMs);
    this.#weekProfile = createSlotProfile(7 * DAY_MS, Math.max(stepMs, 30 * MINUTE_MS), 3, stepMs);
  }

  /** Judges `value` at `timeMs`; NaN is a missing value. */
  read(timeMs: number, value: number, reading: SeriesReading): void {
    this.#predict(timeMs);
    const best = this.#best();
    reading.expected = best.forecast + this.#origin;
    reading.spread = best.spread * this.#peaks.factor;
    this.#residual = Number.isNaN(value) || this.#age < MIN_POINTS ? 0 : (value - reading.expected) / best.spread;
    reading.residual = this.#residual / this.#peaks.factor;
  }

  /** Adds `value`; `frozen` while an incident of the entity is open: nothing of it may become normal at once. */
  learn(timeMs: number, value: number, frozen: boolean): void {
    if (Number.isNaN(value) || frozen) return;
    if (Number.isNaN(this.#origin)) this.#origin = value;
    const offset = value - this.#origin;
    this.#predict(timeMs);
    const levelError = offset - this.#level.forecast;
    for (const rival of [this.#day, this.#week]) playRound(rival.contest, levelError, offset - rival.forecast);
    if (this.#age >= MIN_POINTS) learnPeakSpread(this.#peaks, this.#residual);
    if (this.#age % this.#stride === 0 || this.#age < MIN_POINTS) this.#sample(offset);
    learnSlotProfile(this.#dayProfile, timeMs, offset);
    learnSlotProfile(this.#weekProfile, timeMs, offset);
    this.#age++;
  }

  #predict(timeMs: number): void {
    this.#day.forecast = readSlotProfile(this.#dayProfile, timeMs);
    this.#week.forecast = readSlotProfile(this.#weekProfile, timeMs);
  }

  #best(): Forecaster {
    let best = this.#level;
    for (const rival of [this.#day, this.#week]) {
      if (!Number.isNaN(rival.forecast) && isWon(rival.contest) && rival.spread < best.spread) best = rival;
    }
    return best;
  }

  #sample(offset: number): void {
    pushRing(this.#history, offset);
    for (const forecaster of [this.#level, this.#day, this.#week]) {
      if (!Number.isNaN(forecaster.forecast)) pushRing(forecaster.errors, offset - forecaster.forecast);
    }
    if (this.#age < 2 * MIN_POINTS || Math.floor(this.#age / this.#stride) % EVERY === 0) this.#refresh();
  }

  #refresh(): void {
    const sorted = sortedRing(this.#history);
    this.#level.forecast = quantileOf(sorted, 0.5);
    const range = (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)) * SPREAD_PER_IQR;
    const floor = LEVEL_FLOOR * Math.abs(this.#level.forecast + this.#origin) + RANGE_FLOOR * range + TINY;
    for (const forecaster of [this.#level, this.#day, this.#week]) {
      const errors = sortedRing(forecaster.errors);
      const spread = (quantileOf(errors, 0.75) - quantileOf(errors, 0.25)) * SPREAD_PER_IQR;
      forecaster.spread = (errors.length < MIN_ERRORS ? range : spread) + floor;
    }
  }
}
