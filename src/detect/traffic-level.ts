import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { createSeasonalProfile, learnSeasonalProfile, seasonalRate, type SeasonalProfile } from './seasonal-profile.ts';

/**
 * Expected events per step: a local level with its trend, times the shape of the day once that shape has been seen and
 * predicts better than the level alone. The level is a ratio of decayed sums (observed over shape), unbiased for small
 * counts; the trend is the lag between it and its own smoothing (Brown's double exponential smoothing, 1959).
 */
export interface TrafficLevel {
  flat: Level;
  seasonal: Level;
  profile: SeasonalProfile;
  /** Decayed mean of |log(observed / expected)| per minute of either predictor. */
  flatError: number;
  seasonalError: number;
  /** The minute now being filled: its first step, its steps, its events and both expectations. */
  minute: { start: number; steps: number; count: number; flat: number; seasonal: number };
}

interface Level {
  observed: number;
  exposure: number;
  smoothObserved: number;
  smoothExposure: number;
}

const STEP_SECONDS = SUB_WINDOW_MS / 1000;
const keepFor = (halfLifeMinutes: number): number => 2 ** (-STEP_SECONDS / (60 * halfLifeMinutes));
const FLAT_KEEP = keepFor(15);
const SEASONAL_KEEP = keepFor(30);
const ERROR_KEEP = 2 ** (-1 / 360);
const MAX_TREND = 0.35;
const CLIP_SIGMAS = 6;

const createLevel = (): Level => ({ observed: 0, exposure: 0, smoothObserved: 0, smoothExposure: 0 });

export function createTrafficLevel(): TrafficLevel {
  return {
    flat: createLevel(),
    seasonal: createLevel(),
    profile: createSeasonalProfile(),
    flatError: 0,
    seasonalError: 0,
    minute: { start: -1, steps: 0, count: 0, flat: 0, seasonal: 0 },
  };
}

function levelValue(level: Level): number {
  if (level.exposure === 0) return 0;
  const value = level.observed / level.exposure;
  if (level.smoothObserved <= 0 || value <= 0) return value;
  const lag = Math.log(value / (level.smoothObserved / level.smoothExposure));
  return value * Math.exp(Math.max(-MAX_TREND, Math.min(MAX_TREND, lag)));
}

function seasonalExpectation(state: TrafficLevel, step: number): number {
  const shape = seasonalRate(state.profile, step * SUB_WINDOW_MS);
  if (!(shape > 0) || state.seasonal.exposure === 0) return NaN;
  return shape * (state.seasonal.observed / state.seasonal.exposure);
}

/** Whether the shape of the day is known and the better predictor. */
export function usesSeason(state: TrafficLevel, step: number): boolean {
  return seasonalExpectation(state, step) >= 0 && state.seasonalError < state.flatError;
}

/** Events expected in a step (its start divided by SUB_WINDOW_MS); 0 before anything was learned. */
export function expectedTraffic(state: TrafficLevel, step: number): number {
  return usesSeason(state, step) ? seasonalExpectation(state, step) : levelValue(state.flat);
}

/** Events per step on earlier days at this time, whatever the level is now; NaN before that is known. */
export function usualTraffic(state: TrafficLevel, step: number): number {
  return seasonalRate(state.profile, step * SUB_WINDOW_MS);
}

/** Events per step in the busiest quarter of an hour of a day; 0 before any was seen. */
export function busiestRate({ profile }: TrafficLevel): number {
  return Math.max(...profile.day.rate);
}

/** Takes `rate` events per step for the level from `step` on. What the time of day is expected to bring stays as learned. */
export function settleTraffic(state: TrafficLevel, step: number, rate: number): void {
  const settle = (level: Level, value: number): void => {
    level.observed = level.smoothObserved = value * level.exposure;
    level.smoothExposure = level.exposure;
  };
  settle(state.flat, rate);
  const shape = seasonalRate(state.profile, step * SUB_WINDOW_MS);
  if (shape > 0) settle(state.seasonal, rate / shape);
}

/** Relative variance of the expectation itself, from how little it rests on. */
export function trafficUncertainty(state: TrafficLevel): number {
  return 1 / Math.max(1, state.flat.observed);
}

function learnLevel(level: Level, observed: number, exposure: number, keep: number): void {
  level.observed = level.observed * keep + observed;
  level.exposure = level.exposure * keep + exposure;
  const value = level.observed / level.exposure;
  level.smoothObserved = level.smoothObserved * keep + value * exposure;
  level.smoothExposure = level.smoothExposure * keep + exposure;
}

/** Adds a step's count; `dispersion` bounds how much one step may move the level. Steps come in order, gaps allowed. */
export function learnTraffic(state: TrafficLevel, step: number, count: number, dispersion: number): void {
  const expected = expectedTraffic(state, step);
  const reach = CLIP_SIGMAS * Math.sqrt(expected + dispersion * expected * expected) + 3;
  const settled = state.flat.exposure > 18;
  const clipped = settled ? Math.max(expected - reach, Math.min(expected + reach, count)) : count;
  learnMinute(state, step, clipped);
  learnLevel(state.flat, clipped, 1, FLAT_KEEP);
  const shape = seasonalRate(state.profile, step * SUB_WINDOW_MS);
  if (shape > 0) learnLevel(state.seasonal, clipped, shape, SEASONAL_KEEP);
  learnSeasonalProfile(state.profile, step * SUB_WINDOW_MS, clipped);
}

function learnMinute(state: TrafficLevel, step: number, count: number): void {
  const { minute } = state;
  const start = step - (step % 6);
  if (minute.start !== start) {
    if (minute.steps >= 5 && minute.seasonal > 0) {
      const observed = Math.log(minute.count + 1);
      state.flatError = state.flatError * ERROR_KEEP + Math.abs(observed - Math.log(minute.flat + 1));
      state.seasonalError = state.seasonalError * ERROR_KEEP + Math.abs(observed - Math.log(minute.seasonal + 1));
    }
    Object.assign(minute, { start, steps: 0, count: 0, flat: 0, seasonal: 0 });
  }
  minute.steps++;
  minute.count += count;
  minute.flat += levelValue(state.flat);
  minute.seasonal += seasonalExpectation(state, step);
}
