import { isWon, playRound } from './forecast-contest.ts';
import { deviation, noteError, refreshSpread, robustSpread } from './forecaster.ts';
import type { Forecaster } from './forecaster.ts';
import { pushRing, quantileOf, sortedRing } from './ring-quantile.ts';
import { createSeriesState, sampleStride } from './series-state.ts';
import type { SeriesState } from './series-state.ts';
import { learnSlotProfile, readSlotProfile } from './slot-profile.ts';

/** What a series' own history says of one value. Filled in place by `SeriesModel.read`. */
export interface SeriesReading {
  /** Robust centre expected at this time, in the unit of the series; NaN before there is any history. */
  expected: number;
  /** Robust spread around it, one standard deviation, in the unit of the series; > 0. */
  spread: number;
  /**
   * Signed deviation in spreads, minimum effects applied; 0 for a missing value or before `MIN_POINTS` points. The larger of
   * two: from the slow level or its period (stays while an anomaly lasts), and from the last few points (sees a step at once).
   */
  residual: number;
  /** What of it may page somebody: measured by the wider spread, and a return from elsewhere to the slow level is hardly any. */
  departure: number;
  /** Size of the departure, but for a return only what the value is still off the slow level. */
  away: number;
}

/** Points before a reading is compared with anything. */
export const MIN_POINTS = 30;

/** Minimum effect: a deviation is counted in no smaller unit than this share of the level, and of the range of the history. */
const LEVEL_FLOOR = 0.05;
const RANGE_FLOOR = 0.1;
/**
 * Share of the level for departures of a series that rests at its highest value, as a share of successes does: there what counts is
 * the distance from the ceiling, and 1 % of failures matters where 1 % of a level does not.
 */
const CEILING_FLOOR = 0.01;
const RESTING_SHARE = 0.25;
/** And one unit where all values are whole numbers: one event more than none is not an incident by its ratio. */
const COUNT_FLOOR = 1;
/** Largest departure, in spreads, that moving back towards the slow level can be: what ends is no news. */
const LARGEST_RETURN = 3;
const FAST_GAIN = 0.6;
const REFRESH_SAMPLES = 8;
const EAGER_SAMPLES = 2 * MIN_POINTS;

/**
 * The history of one series on a grid of any step: a slow level, the shape of the day and of the week where they forecast
 * better than the level, and a quick level. Causal: `read` judges a value by what was learned before it.
 */
export class SeriesModel {
  readonly stepMs: number;
  /** Plain data: a clone of it makes an equal model. */
  readonly state: SeriesState;

  constructor(stepMs: number, state: SeriesState = createSeriesState(stepMs)) {
    this.stepMs = stepMs;
    this.state = state;
  }

  /** Judges `value` at `timeMs`; NaN is a missing value. */
  read(timeMs: number, value: number, reading: SeriesReading): void {
    const { state } = this;
    const slow = this.#slow(timeMs);
    const offset = value - state.origin;
    reading.expected = slow.forecast + state.origin;
    reading.spread = Math.max(slow.spread, Number.EPSILON * Math.max(1, Math.abs(reading.expected)));
    reading.residual = 0;
    reading.departure = 0;
    reading.away = 0;
    if (Number.isNaN(offset) || state.age < MIN_POINTS) return;
    const far = deviation(slow, offset);
    const step = deviation(state.fast, offset);
    reading.residual = larger(step, far);
    this.#depart(slow, offset, reading);
  }

  /**
   * Adds `value`; `frozen` while an incident of the entity is open: nothing of it becomes normal at once, only the
   * quick level follows.
   */
  learn(timeMs: number, value: number, frozen: boolean): void {
    if (Number.isNaN(value)) return;
    const { state } = this;
    if (Number.isNaN(state.origin)) state.origin = value;
    if (!Number.isInteger(value)) state.whole = false;
    const offset = value - state.origin;
    if (!frozen) this.#absorb(timeMs, offset);
    const { fast } = state;
    fast.forecast = Number.isNaN(fast.forecast) ? offset : fast.forecast + FAST_GAIN * (offset - fast.forecast);
  }

  #depart(slow: Forecaster, offset: number, reading: SeriesReading): void {
    const { fast } = this.state;
    const far = deviation(slow, offset, slow.wideSpread);
    const step = deviation(fast, offset, fast.wideSpread);
    const isReturn = Math.abs(offset - slow.forecast) < Math.abs(fast.forecast - slow.forecast);
    reading.departure = larger(isReturn ? Math.sign(step) * Math.min(Math.abs(step), LARGEST_RETURN) : step, far);
    reading.away = Math.abs(isReturn ? far : reading.departure);
  }

  #absorb(timeMs: number, offset: number): void {
    const { state } = this;
    this.#forecast(timeMs);
    const sampled = ++state.sinceSample >= sampleStride(state.age, this.stepMs);
    for (const forecaster of [state.level, state.day, state.week, state.fast]) noteError(forecaster, offset, sampled);
    const newSlot = Math.floor(timeMs / state.dayProfile.slotMs) !== state.dayProfile.open;
    if (newSlot) {
      for (const rival of [state.day, state.week]) {
        playRound(rival.contest, offset - state.level.forecast, offset - rival.forecast);
      }
    }
    learnSlotProfile(state.dayProfile, timeMs, offset);
    learnSlotProfile(state.weekProfile, timeMs, offset);
    state.age++;
    if (sampled) this.#sample(offset);
  }

  #forecast(timeMs: number): void {
    const { day, week, dayProfile, weekProfile } = this.state;
    day.forecast = readSlotProfile(dayProfile, timeMs);
    week.forecast = readSlotProfile(weekProfile, timeMs);
  }

  /** The slow forecast to believe: of the level and the periods that beat it, the one with the smallest spread. */
  #slow(timeMs: number): Forecaster {
    this.#forecast(timeMs);
    const { level, day, week } = this.state;
    let best = level;
    for (const rival of [day, week]) {
      if (!Number.isNaN(rival.forecast) && isWon(rival.contest) && rival.spread < best.spread) best = rival;
    }
    return best;
  }

  #sample(offset: number): void {
    const { state } = this;
    state.sinceSample = 0;
    pushRing(state.history, offset);
    if (++state.samples > EAGER_SAMPLES && state.samples % REFRESH_SAMPLES !== 0) return;
    const sorted = sortedRing(state.history);
    state.level.forecast = quantileOf(sorted, 0.5);
    const range = robustSpread(sorted);
    const quantum = state.whole ? COUNT_FLOOR : 0;
    const level = Math.abs(state.level.forecast + state.origin);
    const least = RANGE_FLOOR * range + quantum;
    const floor = LEVEL_FLOOR * level + least;
    const wideFloor = (isCeiling(sorted, level) ? CEILING_FLOOR : LEVEL_FLOOR) * level + least;
    for (const forecaster of [state.level, state.day, state.week, state.fast]) refreshSpread(forecaster, range, floor, wideFloor);
  }
}

const larger = (a: number, b: number): number => (Math.abs(a) > Math.abs(b) ? a : b);

/** Whether a good part of the history is at its very maximum, and it is not constant. */
function isCeiling(sorted: Float32Array, level: number): boolean {
  const top = sorted.at(-1) as number;
  const resting = sorted[Math.floor(sorted.length * (1 - RESTING_SHARE))] as number;
  return sorted.length >= MIN_POINTS && level > 0 && top - resting <= Number.EPSILON * level && (sorted[0] as number) < top;
}
