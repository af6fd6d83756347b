import { createRing, pushRing, sortedRing } from './ring-quantile.ts';
import type { Ring } from './ring-quantile.ts';

/**
 * How rare a deviation is among the series' own peaks: -log10 of the share of values expected at or above it. Peaks are the
 * maxima of short blocks (declustering by blocks; Leadbetter 1991), their upper tenth is taken as Pareto (Hill 1975,
 * "A simple general approach to inference about the tail of a distribution"), and what a few blocks cannot tell is
 * held by a prior, so that 30 points are enough to begin with. Series with light and with heavy tails become comparable. Plain data.
 */
export interface TailEvidence {
  /** ln of block maxima. */
  peaks: Ring;
  peak: number;
  count: number;
  /** ln of where the tail begins, its Pareto exponent's inverse, -log10 of the share of values beyond the beginning. */
  threshold: number;
  shape: number;
  rarity: number;
}

const BLOCK = 16;
const BLOCKS = 192;
const TAIL_SHARE = 0.1;
/** A normal distribution's peaks, roughly: three standard deviations, and a shape that is heavier than theirs. */
const PRIOR_THRESHOLD = Math.log(3);
const PRIOR_BLOCKS = 8;
const PRIOR_SHAPE = 0.3;
const PRIOR_PEAKS = 3;
/** Peaks within one spread of normal are one like another, and no tail is thinner than this. */
const SMALLEST = 1;
const MIN_SHAPE = 0.15;

export function createTailEvidence(): TailEvidence {
  return {
    peaks: createRing(BLOCKS),
    peak: 0,
    count: 0,
    threshold: PRIOR_THRESHOLD,
    shape: PRIOR_SHAPE,
    rarity: -Math.log10(TAIL_SHARE / BLOCK),
  };
}

/** -log10 p of a deviation of this size, >= 0, continuous. */
export function readTailEvidence(tail: TailEvidence, size: number): number {
  if (size === 0) return 0;
  return Math.max(0, tail.rarity + (Math.log(size) - tail.threshold) / tail.shape / Math.LN10);
}

export function learnTailEvidence(tail: TailEvidence, size: number): void {
  tail.peak = Math.max(tail.peak, size);
  if (++tail.count < BLOCK) return;
  pushRing(tail.peaks, Math.log(Math.max(tail.peak, SMALLEST)));
  tail.peak = 0;
  tail.count = 0;
  refresh(tail);
}

function refresh(tail: TailEvidence): void {
  const sorted = sortedRing(tail.peaks);
  const blocks = sorted.length;
  const tailPeaks = Math.min(blocks - 1, Math.max(1, Math.round(blocks * TAIL_SHARE)));
  if (tailPeaks < 1) return;
  const threshold = sorted[blocks - 1 - tailPeaks] as number;
  let excess = 0;
  for (let i = blocks - tailPeaks; i < blocks; i++) excess += (sorted[i] as number) - threshold;
  tail.threshold = (blocks * threshold + PRIOR_BLOCKS * PRIOR_THRESHOLD) / (blocks + PRIOR_BLOCKS);
  tail.shape = Math.max(MIN_SHAPE, (excess + PRIOR_PEAKS * PRIOR_SHAPE) / (tailPeaks + PRIOR_PEAKS));
}
