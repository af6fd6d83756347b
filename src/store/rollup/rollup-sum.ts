import { HISTOGRAM_BUCKETS, histogramQuantile } from '../../model/histogram.ts';
import { MAX_ROLLUP_ENDPOINTS } from '../../model/rollup.ts';

/** A running sum of rollups: of one sub-window, an hour, or a query's bucket. Endpoints are dictionary ids. */
export class RollupSum {
  count = 0;
  errorCount = 0;
  latencyCount = 0;
  latencySum = 0;
  latencySquareSum = 0;
  readonly histogram = new Uint32Array(HISTOGRAM_BUCKETS);
  /** Histogram buckets outside [low, high] are 0. */
  low = HISTOGRAM_BUCKETS;
  high = -1;
  readonly endpoints = new Set<number>();

  addToHistogram(bucket: number, count: number): void {
    (this.histogram[bucket] as number) += count;
    if (bucket < this.low) this.low = bucket;
    if (bucket > this.high) this.high = bucket;
  }

  addEndpoint(id: number): void {
    if (this.endpoints.size < MAX_ROLLUP_ENDPOINTS) this.endpoints.add(id);
  }

  /** Nearest-rank latency quantile in milliseconds, or null without latencies. */
  quantile(q: number): number | null {
    return this.latencyCount === 0 ? null : histogramQuantile(this.histogram, this.latencyCount, q);
  }

  get mean(): number | null {
    return this.latencyCount === 0 ? null : this.latencySum / this.latencyCount;
  }

  /** Population standard deviation in milliseconds, or null without latencies. */
  get standardDeviation(): number | null {
    const { mean } = this;
    if (mean === null) return null;
    return Math.sqrt(Math.max(0, this.latencySquareSum / this.latencyCount - mean * mean));
  }

  reset(): void {
    this.count = 0;
    this.errorCount = 0;
    this.latencyCount = 0;
    this.latencySum = 0;
    this.latencySquareSum = 0;
    if (this.high >= this.low) this.histogram.fill(0, this.low, this.high + 1);
    this.low = HISTOGRAM_BUCKETS;
    this.high = -1;
    this.endpoints.clear();
  }
}
