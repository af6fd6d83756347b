import type { Stage } from '../model/anomaly.ts';

/** What one series had to do with a verdict. */
export interface SeriesFinding {
  series: string;
  observed: number;
  expected: number;
  /** Expected band, about three robust spreads to each side. */
  low: number;
  high: number;
  /** Signed deviation in robust spreads. */
  residual: number;
  /** Signed part of the entity's score; absolute values of one verdict sum to at most 1. */
  share: number;
}

/** One entity on one tick of its grid. */
export interface MetricVerdict {
  entity: string;
  /** Stamp of the earliest point of the tick; the verdict exists one step later. */
  timeMs: number;
  stepMs: number;
  stage: Stage;
  /** Continuous score before persistence and guards: -log10 of the combined p-value, >= 0. */
  score: number;
  /** After persistence and guards. */
  firing: boolean;
  /** Series by the size of their part, largest first, at most `MAX_FINDINGS`. Valid until the next verdict. */
  findings: readonly SeriesFinding[];
}

export const MAX_FINDINGS = 50;

/** What becomes of several points of one series in one tick. */
export type Aggregation = 'last' | 'sum' | 'mean';

/** Where the points of one series of an entity go. */
export interface SeriesTarget {
  add(timeMs: number, value: number, aggregation: Aggregation): void;
}

/**
 * Metric series in, verdicts out. Pure and causal: a verdict depends on values at or before its tick. Any number of named series per
 * entity, any step from 1 s to 1 h (found from the data), missing points allowed.
 */
export interface MetricDetector {
  /**
   * One point; NaN is none. Points of one entity may come in any order within a tick; those of a tick that is closed are dropped and
   * counted.
   */
  observe(entity: string, series: string, timeMs: number, value: number, aggregation?: Aggregation): void;
  /** The same for many points of one series; null when the entity or its series are too many. */
  target(entity: string, series: string): SeriesTarget | null;
  /**
   * Closes every tick that ends at or before `untilMs`, and one that has as many points as are usual, and calls `onVerdict` for each, in
   * order of time within an entity. Call it when all points that came together are observed.
   */
  advance(untilMs: number): void;
}

export interface MetricDetectorOptions {
  onVerdict: (verdict: MetricVerdict) => void;
  seed: number;
  /** False alarms per entity and day that firing aims at. */
  falseAlarmBudget: number;
  /** Series watched at once, all entities together; no bound when absent. */
  maxSeries?: number;
}
