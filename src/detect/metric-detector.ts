import type { Stage } from '../model/anomaly.ts';

/** What one series had to do with a verdict. */
export interface SeriesFinding {
  series: string;
  observed: number;
  expected: number;
  low: number;
  high: number;
  /** Signed deviation in robust spreads. */
  residual: number;
}

/** One entity on one tick of its grid. */
export interface MetricVerdict {
  entity: string;
  /** Start of the tick on the entity's grid; the verdict exists at its end, `timeMs + stepMs`. */
  timeMs: number;
  stepMs: number;
  stage: Stage;
  /** Continuous score before persistence and guards: -log10 of the combined p-value, >= 0. */
  score: number;
  /** After persistence and guards. */
  firing: boolean;
  /** Series that deviate most, largest first, at most `MAX_FINDINGS`. */
  findings: readonly SeriesFinding[];
}

export const MAX_FINDINGS = 50;

/**
 * Metric series in, verdicts out. Pure and causal: a verdict depends on values at or before its tick. Any number of named series per
 * entity, any step from 1 s to 1 h (found from the data), missing points allowed.
 */
export interface MetricDetector {
  /** One point. Points of one entity may come in any order within a tick; ticks must not go back (those that do are dropped and counted). */
  observe(entity: string, series: string, timeMs: number, value: number): void;
  /** Closes every tick that ends at or before `untilMs` and calls `onVerdict` for each, in order of time. */
  advance(untilMs: number): void;
}

export interface MetricDetectorOptions {
  onVerdict: (verdict: MetricVerdict) => void;
  seed: number;
  /** False alarms per entity and day that firing aims at. */
  falseAlarmBudget: number;
}
