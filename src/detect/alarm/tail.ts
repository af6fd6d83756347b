import { createLogHistogram, addToHistogram, levelOfRank, rankAbove } from './log-histogram.ts';
import type { LogHistogram } from './log-histogram.ts';
import { fitExcesses, survival, survivalLevel } from './pareto-tail.ts';
import type { ParetoTail } from './pareto-tail.ts';

/** Plain state of a `TailModel`. */
export interface TailState {
  /** All scores, fading. */
  scores: LogHistogram;
  /** The highest score of each run above the threshold, fading at the same rate. */
  peaks: LogHistogram;
  /** Points since a score last stood above the threshold. */
  calm: number;
  /** Points that the present run has lasted, and its highest score; 0 outside a run. */
  runLength: number;
  runPeak: number;
  /** Points since the tail was last fitted. */
  stale: number;
  fit: ParetoTail;
}

/** Share of points above the threshold at which the tail begins; SPOT takes 2 % of all points, here whole runs are counted, of which there are fewer. */
const TAIL_SHARE = 0.05;
/** Points below the threshold that end a run. */
const RUN_GAP = 3;
/** A longer run counts again: what lasts is not one coincidence. */
const MAX_RUN = 100;
/** Effective points of the fading history unless more are asked for: what a series was like before matters less than what it is like. */
const MIN_MEMORY_POINTS = 3000;
const MEMORY_MS = 14 * 86_400_000;
const REFIT_EVERY = 16;
/** One new peak can only move the tail to a level that is this much rarer than anything seen. */
const SURPRISE = 30;
const FEW_POINTS = 30;

/** Spreads below this count as they are, above it only their ratio counts: 10,000 spreads say no more than a scale that was too small. */
const KNEE = 30;

const compress = (score: number): number => (score <= KNEE ? score : KNEE * (1 + Math.log(score / KNEE)));

/** Points that a tail of steps remembers: two weeks, in which days of every kind have come. */
export const tailMemoryPoints = (stepMs: number): number => Math.max(MIN_MEMORY_POINTS, Math.round(MEMORY_MS / stepMs));

export function createTailState(): TailState {
  return {
    scores: createLogHistogram(),
    peaks: createLogHistogram(),
    calm: 0,
    runLength: 0,
    runPeak: 0,
    stale: 0,
    fit: { threshold: 3, rate: 0.05, scale: 1, shape: 0.2 },
  };
}

/**
 * Evidence of a score against its own history: peaks over a running high quantile with a generalised Pareto tail, streaming
 * (SPOT: Siffer et al., KDD 2017). Differences: one peak a run of points (declustering), so that p is the rate at which *episodes*
 * reach a level; the shape is shrunk to a prior and the fit's uncertainty goes into the prediction, so that short histories claim
 * little; a learned peak is capped, so that an anomaly in the history does not blind it. Scores are in robust spreads or decades:
 * what is small is small compared with 1.
 */
export class TailModel {
  readonly state: TailState;
  private readonly memoryPoints: number;

  constructor(state: TailState = createTailState(), memoryPoints = MIN_MEMORY_POINTS) {
    this.state = state;
    this.memoryPoints = memoryPoints;
  }

  /** -log10 of the rate per point at which episodes reach `score`; >= 0, continuous and increasing above 0. */
  evidence(raw: number): number {
    const { fit, scores } = this.state;
    if (!(raw > 0)) return 0;
    const score = compress(raw);
    const edge = -Math.log10(fit.rate);
    if (score > fit.threshold) return edge - Math.log10(survival(fit, score - fit.threshold));
    const share = (rankAbove(scores, score) + 1) / (scores.total + 1);
    const least = (rankAbove(scores, fit.threshold) + 1) / (scores.total + 1);
    return least >= 1 ? (edge * score) / fit.threshold : (edge * Math.log(share)) / Math.log(least);
  }

  /** What the evidence of `score` has above `modest`, >= 0; cheap for usual scores. */
  evidenceBeyond(score: number, modest: number): number {
    const { fit } = this.state;
    if (!(score > 0) || (compress(score) <= fit.threshold && -Math.log10(fit.rate) <= modest)) return 0;
    return Math.max(0, this.evidence(score) - modest);
  }

  /** Adds the score of a point; one that is far out is learned as a level merely `SURPRISE` times rarer than the history. */
  learn(score: number): void {
    const { state } = this;
    const capped = Math.min(compress(Math.max(score, 0)), this.cap());
    addToHistogram(state.scores, capped, 1);
    this.track(capped);
    if (state.scores.total >= this.memoryPoints) for (const h of [state.scores, state.peaks]) fade(h);
    if (++state.stale >= Math.min(REFIT_EVERY, 1 + state.scores.total / 16)) this.refit();
  }

  private cap(): number {
    const { fit, scores } = this.state;
    if (scores.total < FEW_POINTS) return Infinity;
    return fit.threshold + survivalLevel(fit, Math.min(1, 1 / (SURPRISE * scores.total * fit.rate)));
  }

  private track(score: number): void {
    const { state } = this;
    const above = score > state.fit.threshold;
    if (above) {
      state.runPeak = Math.max(state.runPeak, score);
      state.calm = 0;
    } else if (state.runLength > 0) state.calm++;
    if (state.runLength > 0 || above) state.runLength++;
    if (state.calm >= RUN_GAP || state.runLength >= MAX_RUN) {
      if (state.runPeak > 0) addToHistogram(state.peaks, state.runPeak, 1);
      state.runLength = 0;
      state.runPeak = 0;
      state.calm = 0;
    }
  }

  private refit(): void {
    const { state } = this;
    state.stale = 0;
    const threshold = levelOfRank(state.scores, TAIL_SHARE * state.scores.total);
    const middle = levelOfRank(state.scores, 0.5 * state.scores.total);
    state.fit = fitExcesses(state.peaks, threshold, threshold - middle, state.scores.total);
  }
}

function fade(histogram: LogHistogram): void {
  for (let bin = 0; bin < histogram.counts.length; bin++) (histogram.counts[bin] as number) *= 0.5;
  histogram.total /= 2;
}
