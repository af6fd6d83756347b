import { invertPositiveDefinite } from './cholesky.ts';

/** Features are scaled by their spread over history, at least this much (in their own robust spreads). */
const SPREAD_FLOOR = 0.05;
const CLIP = 20;
const REFIT_GROWTH = 1.1;
const REFIT_ROWS = 128;

/**
 * Distance of a row from what is usual for the correlation of its features: Hotelling's T2 with a ridge (Chen, Paul, Prentice, Wang: "A
 * regularized Hotelling's T2 test", JASA 2011). In directions in which history moves it is T2, in those in which it does not it is the
 * squared reconstruction error of a PCA over the ridge: Yue and Qin's combined index (Ind. Eng. Chem. Res. 2001) with no
 * number of components to choose. Moments are kept incrementally with slow forgetting; the inverse is refitted now and then.
 */
export class RegularizedDistance {
  readonly size: number;
  private readonly memoryRows: number;
  private readonly ridge: number;
  private readonly mean: Float64Array;
  /** Lower triangle in use. */
  private readonly covariance: Float64Array;
  private readonly precision: Float64Array;
  private readonly centre: Float64Array;
  private readonly inverseSpread: Float64Array;
  private readonly scaled: Float64Array;
  private readonly projected: Float64Array;
  private weight = 0;
  private rows = 0;
  private nextRefit = 16;
  private isFitted = false;

  /** `ridge` is the part of a feature's variance that is added as noise that no other feature explains. */
  constructor(size: number, memoryRows: number, ridge: number) {
    this.size = size;
    this.memoryRows = memoryRows;
    this.ridge = ridge;
    this.mean = new Float64Array(size);
    this.covariance = new Float64Array(size * size);
    this.precision = new Float64Array(size * size);
    this.centre = new Float64Array(size);
    this.inverseSpread = new Float64Array(size);
    this.scaled = new Float64Array(size);
    this.projected = new Float64Array(size);
  }

  /** Distance per feature, >= 0; 0 before the first fit. */
  score(row: Float64Array): number {
    if (!this.isFitted) return 0;
    const n = this.size;
    const scaled = this.scaled;
    const projected = this.projected;
    for (let j = 0; j < n; j++) {
      const z = ((row[j] as number) - (this.centre[j] as number)) * (this.inverseSpread[j] as number);
      scaled[j] = Math.max(-CLIP, Math.min(CLIP, z));
    }
    let distance = 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      const base = i * n;
      for (let j = 0; j < n; j++) sum += (this.precision[base + j] as number) * (scaled[j] as number);
      projected[i] = sum;
      distance += sum * (scaled[i] as number);
    }
    return Math.max(0, distance / n);
  }

  /**
   * How much of the distance of the row last scored would go if feature `j` took the value that the others predict, with the sign of its
   * deviation: reconstruction-based contribution (Alcala and Qin, Automatica 2009).
   */
  contribution(j: number): number {
    if (!this.isFitted) return 0;
    const projected = this.projected[j] as number;
    return (Math.sign(projected) * projected * projected) / (this.precision[j * this.size + j] as number) / this.size;
  }

  /** Adds a row with a weight in 0..1. */
  learn(row: Float64Array, weight: number): void {
    this.rows += 1;
    if (weight > 0) {
      this.weight = Math.min(this.weight + weight, this.memoryRows);
      this.accumulate(row, weight / this.weight);
    }
    if (this.rows < this.nextRefit) return;
    this.refit();
    this.nextRefit = Math.ceil(Math.min(this.rows * REFIT_GROWTH, this.rows + REFIT_ROWS));
  }

  private accumulate(row: Float64Array, gain: number): void {
    const n = this.size;
    const off = this.scaled;
    for (let j = 0; j < n; j++) off[j] = (row[j] as number) - (this.mean[j] as number);
    for (let i = 0; i < n; i++) {
      const offI = (off[i] as number) * gain;
      const base = i * n;
      for (let j = 0; j <= i; j++) {
        const was = this.covariance[base + j] as number;
        this.covariance[base + j] = (1 - gain) * (was + offI * (off[j] as number));
      }
    }
    for (let j = 0; j < n; j++) this.mean[j] = (this.mean[j] as number) + gain * (off[j] as number);
  }

  private refit(): void {
    const n = this.size;
    const precision = this.precision;
    for (let j = 0; j < n; j++) {
      this.centre[j] = this.mean[j] as number;
      this.inverseSpread[j] = 1 / (Math.sqrt(this.covariance[j * n + j] as number) + SPREAD_FLOOR);
    }
    // With few rows correlations are chance: they shrink as if `n` rows had shown none.
    const keep = this.weight / (this.weight + n);
    for (let i = 0; i < n; i++) {
      const scaleI = this.inverseSpread[i] as number;
      for (let j = 0; j <= i; j++) {
        const value = (this.covariance[i * n + j] as number) * scaleI * (this.inverseSpread[j] as number);
        precision[i * n + j] = i === j ? value * keep + (1 - keep) + this.ridge : value * keep;
      }
    }
    invertPositiveDefinite(precision, n);
    this.isFitted = true;
  }
}
