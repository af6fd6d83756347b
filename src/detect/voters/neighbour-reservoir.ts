import { uniformAt } from '../../lib/prng.ts';

const NEIGHBOURS = 3;
const ROWS = 256;

/**
 * Mean distance of a row to its nearest rows of history (Ramaswamy, Rastogi, Shim: "Efficient algorithms for mining outliers",
 * SIGMOD 2000), which knows several regimes where a covariance knows one. History is a reservoir that forgets exponentially
 * (Aggarwal: "On biased reservoir sampling in the presence of stream evolution", VLDB 2006).
 */
export class NeighbourReservoir {
  private readonly size: number;
  private readonly memoryRows: number;
  private readonly seed: number;
  private readonly rows: Float32Array;
  private readonly mean: Float64Array;
  private readonly variance: Float64Array;
  private readonly inverseSpread: Float64Array;
  private count = 0;
  private nearest = 0;
  private weight = 0;
  private seen = 0;

  constructor(size: number, memoryRows: number, seed: number) {
    this.size = size;
    this.memoryRows = memoryRows;
    this.seed = seed;
    this.rows = new Float32Array(size * ROWS);
    this.mean = new Float64Array(size);
    this.variance = new Float64Array(size);
    this.inverseSpread = new Float64Array(size).fill(1);
  }

  /** Mean absolute difference per feature to the `NEIGHBOURS` nearest rows, in spreads; 0 before there are that many. */
  score(row: Float64Array): number {
    if (this.count < NEIGHBOURS) return 0;
    const n = this.size;
    let first = Infinity;
    let second = Infinity;
    let third = Infinity;
    for (let k = 0; k < this.count; k++) {
      const base = k * n;
      let distance = 0;
      for (let j = 0; j < n && distance < third; j++) {
        distance += Math.abs((row[j] as number) - (this.rows[base + j] as number)) * (this.inverseSpread[j] as number);
      }
      if (distance < first) {
        third = second;
        second = first;
        first = distance;
        this.nearest = k;
      } else if (distance < second) {
        third = second;
        second = distance;
      } else if (distance < third) third = distance;
    }
    return (first + second + third) / (NEIGHBOURS * n);
  }

  /** Signed difference of feature `j` of `row`, last scored, from its nearest row of history, in spreads. */
  difference(row: Float64Array, j: number): number {
    if (this.count < NEIGHBOURS) return 0;
    const nearest = this.rows[this.nearest * this.size + j] as number;
    return ((row[j] as number) - nearest) * (this.inverseSpread[j] as number);
  }

  /** Adds a row with a weight in 0..1: the chance that it is kept while history is full is in proportion to it. */
  learn(row: Float64Array, weight: number): void {
    this.seen += 1;
    this.learnSpread(row, weight);
    const share = ROWS / Math.min(Math.max(this.seen, ROWS), this.memoryRows);
    if (uniformAt(this.seed, 2 * this.seen) >= share * weight) return;
    const slot = this.count < ROWS ? this.count++ : Math.floor(uniformAt(this.seed, 2 * this.seen + 1) * ROWS);
    this.rows.set(row, slot * this.size);
  }

  private learnSpread(row: Float64Array, weight: number): void {
    this.weight = Math.min(this.weight + weight, this.memoryRows);
    if (weight <= 0) return;
    const gain = weight / this.weight;
    for (let j = 0; j < this.size; j++) {
      const off = (row[j] as number) - (this.mean[j] as number);
      this.mean[j] = (this.mean[j] as number) + gain * off;
      this.variance[j] = (1 - gain) * ((this.variance[j] as number) + gain * off * off);
      this.inverseSpread[j] = 1 / (Math.sqrt(this.variance[j] as number) + 0.1);
    }
  }
}
