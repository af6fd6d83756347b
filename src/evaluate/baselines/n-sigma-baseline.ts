import type { MetricDetector, MetricDetectorOptions } from '../../detect/metric-detector.ts';
import { RowBaseline, type RowMethod, type RowScore } from './row-baseline.ts';

const MIN_ROWS = 30;
/** N-sigma: the largest deviation from the mean of all rows before, in their standard deviations. */
class NSigma implements RowMethod {
  readonly #mean: Float64Array;
  readonly #variance: Float64Array;
  #rows = 0;

  constructor(seriesCount: number) {
    this.#mean = new Float64Array(seriesCount);
    this.#variance = new Float64Array(seriesCount);
  }

  score(values: Float64Array, out: RowScore): void {
    const weight = 1 / ++this.#rows;
    out.score = 0;
    for (let i = 0; i < values.length; i++) {
      const difference = (values[i] as number) - (this.#mean[i] as number);
      const spread = Math.sqrt(this.#variance[i] as number);
      const z = this.#rows <= MIN_ROWS || difference === 0 ? 0 : Math.min(1e6, Math.abs(difference) / spread);
      out.residuals[i] = Math.sign(difference) * z;
      out.score = Math.max(out.score, z);
      this.#mean[i] = (this.#mean[i] as number) + weight * difference;
      this.#variance[i] = (1 - weight) * ((this.#variance[i] as number) + weight * difference * difference);
    }
  }
}

export function createNSigmaBaseline(options: MetricDetectorOptions): MetricDetector {
  return new RowBaseline(options, (seriesCount) => new NSigma(seriesCount));
}
