import { eachAbove } from './log-histogram.ts';
import type { LogHistogram } from './log-histogram.ts';

/** Generalised Pareto tail above a threshold (Pickands, 1975). */
export interface ParetoTail {
  threshold: number;
  /** Runs above the threshold per point. */
  rate: number;
  scale: number;
  /** > 0 here: no finite end is ever assumed. */
  shape: number;
}

/** The prior weighs as much as this many peaks: the tail of 1,000 points. */
const PRIOR_PEAKS = 20;
const PRIOR_SHAPE = 0;
const MAX_SHAPE = 0.5;
/** An exponential tail above the 5 % quantile of a score has about this excess, as a share of its distance from the median. */
const PRIOR_EXCESS = 0.4;
/** The shape is not believed from fewer peaks than this. */
const UNSURE_PEAKS = 10;
const MIN_SCALE = 0.3;
const MIN_SHAPE = 0.01;

/**
 * Fits the excesses of `peaks` over `threshold` by probability-weighted moments (Hosking and Wallis, Technometrics 1987), shrunk to a
 * prior. `spread` is the distance from the middle of the scores to the threshold, `points` the number of scores behind the peaks.
 */
export function fitExcesses(peaks: LogHistogram, threshold: number, spread: number, points: number): ParetoTail {
  let count = 0;
  let sum = 0;
  eachAbove(peaks, threshold, (middle, weight) => {
    count += weight;
    sum += weight * (middle - threshold);
  });
  let weighted = 0;
  let below = 0;
  eachAbove(peaks, threshold, (middle, weight) => {
    weighted += weight * (middle - threshold) * (1 - (below + weight / 2) / count);
    below += weight;
  });
  const mean = count > 0 ? sum / count : 0;
  const moment = count > 0 ? weighted / count : 0;
  const raw = count > 2 && mean > 2 * moment ? 2 - mean / (mean - 2 * moment) : PRIOR_SHAPE;
  const shape = (count * Math.min(Math.max(raw, 0), MAX_SHAPE) + PRIOR_PEAKS * PRIOR_SHAPE) / (count + PRIOR_PEAKS);
  const priorMean = PRIOR_EXCESS * spread;
  const excess = (count * mean + (PRIOR_PEAKS / 4) * priorMean) / (count + PRIOR_PEAKS / 4);
  // The predictive tail of an exponential whose mean is known from m peaks is a Pareto tail of shape 1/m: what is not known counts as risk.
  const unsure = 1 / (count + UNSURE_PEAKS);
  return {
    threshold,
    rate: Math.min((count + 1) / (points + 2), 0.5),
    scale: Math.max(excess * (1 - shape), MIN_SCALE),
    shape: Math.max(shape + unsure, MIN_SHAPE),
  };
}

/** Share of peaks whose excess is larger. */
export const survival = (tail: ParetoTail, excess: number): number =>
  (1 + (tail.shape * excess) / tail.scale) ** (-1 / tail.shape);

/** Excess that a `share` of peaks reaches; the inverse of `survival`. */
export const survivalLevel = (tail: ParetoTail, share: number): number => (tail.scale * (share ** -tail.shape - 1)) / tail.shape;
