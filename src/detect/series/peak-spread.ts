import { createRing, pushRing, quantileOf, sortedRing } from './ring-quantile.ts';
import type { Ring } from './ring-quantile.ts';

/**
 * How much larger the usual peaks of a series are than a normal distribution's: a high quantile of block maxima
 * (Gumbel, Statistics of Extremes, 1958) of |residual| over what 64 normal values reach. Heavy tails then widen the
 * spread, and residuals of series with different tails can be compared. Plain data.
 */
export interface PeakSpread {
  peaks: Ring;
  peak: number;
  count: number;
  /** >= 1. */
  factor: number;
}

const BLOCK = 64;
const BLOCKS = 64;
const MIN_BLOCKS = 4;
const SHARE = 0.9;
const NORMAL_PEAK = 3;

export function createPeakSpread(): PeakSpread {
  return { peaks: createRing(BLOCKS), peak: 0, count: 0, factor: 1 };
}

export function learnPeakSpread(spread: PeakSpread, residual: number): void {
  spread.peak = Math.max(spread.peak, Math.abs(residual));
  if (++spread.count < BLOCK) return;
  pushRing(spread.peaks, spread.peak);
  spread.peak = 0;
  spread.count = 0;
  if (spread.peaks.size < MIN_BLOCKS) return;
  spread.factor = Math.max(1, quantileOf(sortedRing(spread.peaks), SHARE) / NORMAL_PEAK);
}
