import { createTailState, TailModel, tailMemoryPoints } from './tail.ts';
import type { TailState } from './tail.ts';

/** Plain data. */
export interface EvidenceSumState {
  /** By series: the tail of |residual|, and that of what lasts 2 of 3 ticks on one side. */
  spikes: TailState[];
  lasting: TailState[];
  /** Residuals of the last two rows, the newest first. */
  previous: Float64Array;
  beforePrevious: Float64Array;
}

/** Evidence of a series that says nothing: in a day of minutes, fourteen such ticks come by chance. */
const MODEST = 2;
/** Minimum effect, in spreads: what is less is nothing to call anybody for, however rare it is. */
const MIN_DEPARTURE = 3;

/**
 * Score of a row for firing: each series is judged by its own tail, once for the tick alone and once for what lasts, and evidence
 * beyond the modest is summed (Fisher's method, Statistical Methods for Research Workers, 1932; what series have in common is left
 * to the tail of the sum). One series far out, several a little, and one that lasts all score.
 */
export class EvidenceSum {
  readonly state: EvidenceSumState;
  private readonly spikes: TailModel[];
  private readonly lasting: TailModel[];
  private readonly levels: Float64Array;

  constructor(seriesCount: number, stepMs: number, state?: EvidenceSumState) {
    const memoryPoints = tailMemoryPoints(stepMs);
    this.state = state ?? {
      spikes: Array.from({ length: seriesCount }, createTailState),
      lasting: Array.from({ length: seriesCount }, createTailState),
      previous: new Float64Array(seriesCount),
      beforePrevious: new Float64Array(seriesCount),
    };
    this.spikes = this.state.spikes.map((tail) => new TailModel(tail, memoryPoints));
    this.lasting = this.state.lasting.map((tail) => new TailModel(tail, memoryPoints));
    this.levels = new Float64Array(seriesCount);
  }

  /**
   * Score of a row of signed residuals, in spreads, >= 0; 0 stands for a missing value. `shares` takes the signed part of each
   * series, in units of the score.
   */
  next(residuals: Float64Array, shares: Float64Array): number {
    const { previous, beforePrevious } = this.state;
    let sum = 0;
    for (let series = 0; series < residuals.length; series++) {
      const residual = residuals[series] as number;
      const level = lastingLevel(residual, previous[series] as number, beforePrevious[series] as number);
      this.levels[series] = level;
      const share = Math.max(
        evidenceOf(this.spikes[series] as TailModel, Math.abs(residual)),
        evidenceOf(this.lasting[series] as TailModel, level),
      );
      shares[series] = residual < 0 ? -share : share;
      sum += share;
    }
    return sum;
  }

  /** Learns the row that `next` scored. */
  learn(residuals: Float64Array): void {
    const { previous, beforePrevious } = this.state;
    for (let series = 0; series < residuals.length; series++) {
      (this.spikes[series] as TailModel).learn(Math.abs(residuals[series] as number));
      (this.lasting[series] as TailModel).learn(this.levels[series] as number);
    }
    beforePrevious.set(previous);
    previous.set(residuals);
  }
}

const evidenceOf = (tail: TailModel, size: number): number => (size < MIN_DEPARTURE ? 0 : tail.evidenceBeyond(size, MODEST));

/** What 2 of the last 3 residuals reach on the side of the newest. */
function lastingLevel(now: number, before: number, earlier: number): number {
  const sign = now < 0 ? -1 : 1;
  const a = sign * now;
  const b = Math.max(0, sign * before);
  const c = Math.max(0, sign * earlier);
  return a + b + c - Math.max(a, b, c) - Math.min(a, b, c);
}
