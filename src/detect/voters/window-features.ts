import { largestResidual } from './residual-votes.ts';

const SHORT_ROWS = 6;
const LONG_ROWS = 30;
/** What a held residual keeps of itself from row to row: half is gone after the short window. */
const HOLD = 0.5 ** (1 / SHORT_ROWS);
/** A held residual counts up to this many times the largest residual of the row itself. */
const SUPPORT = 2;
const CLIP = 10;
/** Memory of a residual keeps no more than half of what the row itself may show, so that one spike is soon past. */
const HELD_CLIP = 5;
/** Values are scaled by a spread of at least this part of their usual size. */
const RELATIVE_FLOOR = 0.01;
/** Share of history whose residuals may pass `TAIL_RESIDUAL` after scaling. */
const TAIL_SHARE = 0.005;
const TAIL_RESIDUAL = 4;
const QUANTILE_GAIN = 0.05;

/**
 * What the multivariate voters see of a row: each series' scaled value and residual, and exponentially weighted means of both over a
 * short and a longer window (Roberts: "Control chart tests based on geometric moving averages", Technometrics 1959). A
 * series whose residual is often large (a job that comes and goes) is divided by its own high quantile, so that it speaks no louder than
 * the others.
 */
export class WindowFeatures {
  /** Short mean of scaled values, by series. */
  readonly level: Float64Array;
  /** Scaled residual. */
  readonly residual: Float64Array;
  /**
   * Largest scaled residual of the last few rows, with its sign, as far as the row supports it: series that answer one after the other
   * are seen together, while rows in which all have returned no longer speak of what has passed.
   */
  readonly held: Float64Array;
  /** Short mean of scaled residuals. */
  readonly drift: Float64Array;
  /** Longer mean of scaled residuals. */
  readonly longDrift: Float64Array;
  private readonly memoryRows: number;
  private readonly mean: Float64Array;
  private readonly variance: Float64Array;
  private readonly tail: Float64Array;
  private readonly short: Float64Array;
  private readonly memory: Float64Array;
  private readonly shortResidual: Float64Array;
  private readonly longResidual: Float64Array;
  private readonly weight: Float64Array;

  constructor(seriesCount: number, memoryRows: number) {
    const each = (fill = 0): Float64Array => new Float64Array(seriesCount).fill(fill);
    this.level = each();
    this.residual = each();
    this.held = each();
    this.drift = each();
    this.longDrift = each();
    this.memoryRows = memoryRows;
    this.mean = each();
    this.variance = each();
    this.tail = each(TAIL_RESIDUAL);
    this.short = each(NaN);
    this.memory = each();
    this.shortResidual = each();
    this.longResidual = each();
    this.weight = each();
  }

  /** Fills the features of the row that follows those learned; changes nothing else. */
  read(values: Float64Array, residuals: Float64Array): void {
    for (let j = 0; j < values.length; j++) {
      const value = this.scaled(j, values[j] as number);
      this.level[j] = meanAfter(this.short[j] as number, value, SHORT_ROWS);
      const scale = Math.max(1, (this.tail[j] as number) / TAIL_RESIDUAL);
      const residual = clip((residuals[j] as number) / scale, CLIP);
      this.residual[j] = residual;
      this.drift[j] = meanAfter(this.shortResidual[j] as number, residual, SHORT_ROWS);
      this.longDrift[j] = meanAfter(this.longResidual[j] as number, residual, LONG_ROWS);
    }
    const most = SUPPORT * largestResidual(this.residual);
    for (let j = 0; j < values.length; j++) {
      const size = Math.max(Math.abs(this.residual[j] as number), most);
      this.held[j] = clip(this.remembered(j), size);
    }
  }

  /** Moves on by the row last read. `weight` in 0..1 says how much of it may become normal. */
  learn(values: Float64Array, residuals: Float64Array, weight: number): void {
    for (let j = 0; j < values.length; j++) {
      const value = values[j] as number;
      if (!Number.isNaN(value)) {
        this.learnScale(j, value, weight);
        this.learnTail(j, Math.abs(residuals[j] as number), weight);
      }
      const scaled = this.scaled(j, value);
      this.short[j] = meanAfter(this.short[j] as number, scaled, SHORT_ROWS);
      this.memory[j] = clip(this.remembered(j), HELD_CLIP);
      this.shortResidual[j] = this.drift[j] as number;
      this.longResidual[j] = this.longDrift[j] as number;
    }
  }

  /** Largest scaled residual of the row last read and, fading, of those before it. */
  private remembered(j: number): number {
    const residual = this.residual[j] as number;
    const before = HOLD * (this.memory[j] as number);
    return Math.abs(residual) >= Math.abs(before) ? residual : before;
  }

  private scaled(j: number, value: number): number {
    if (Number.isNaN(value)) return NaN;
    const mean = this.mean[j] as number;
    const spread = Math.sqrt(this.variance[j] as number) + RELATIVE_FLOOR * Math.abs(mean) + 1e-9;
    return (this.weight[j] as number) > 0 ? clip((value - mean) / spread, CLIP) : 0;
  }

  private learnScale(j: number, value: number, weight: number): void {
    const total = Math.min((this.weight[j] as number) + weight, this.memoryRows);
    this.weight[j] = total;
    if (total <= 0) return;
    const gain = weight / total;
    const off = value - (this.mean[j] as number);
    this.mean[j] = (this.mean[j] as number) + gain * off;
    this.variance[j] = (1 - gain) * ((this.variance[j] as number) + gain * off * off);
  }

  /** Stochastic approximation of the high quantile (Robbins and Monro, 1951), in proportion to its own size. */
  private learnTail(j: number, size: number, weight: number): void {
    const tail = this.tail[j] as number;
    const step = QUANTILE_GAIN * weight * ((size > tail ? 1 : 0) - TAIL_SHARE);
    this.tail[j] = Math.min(1e6, Math.max(TAIL_RESIDUAL, tail * (1 + step * Math.min(1, (tail - TAIL_RESIDUAL + 1) / tail))));
  }
}

function meanAfter(mean: number, value: number, rows: number): number {
  if (Number.isNaN(value)) return Number.isNaN(mean) ? 0 : mean;
  return Number.isNaN(mean) ? value : mean + ((value - mean) * 2) / (rows + 1);
}

function clip(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
