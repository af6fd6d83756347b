import type { MetricDetector, MetricDetectorOptions } from '../../detect/metric-detector.ts';
import { fitComponents, reconstructionError, type PrincipalComponents } from './principal-components.ts';
import { RecentRows, refitsAt, RowBaseline, type RowMethod, type RowScore } from './row-baseline.ts';

const WINDOW_ROWS = 6;
const VARIANCE_SHARE = 0.95;
const FEATURES = 3;

/** PCA alone (Jackson and Mudholkar, Technometrics 1979: the Q statistic) on each value, the mean of the last six, and their mean deviation from it. */
class PcaMethod implements RowMethod {
  readonly #count: number;
  readonly #window: Float64Array[] = [];
  readonly #rows: RecentRows;
  readonly #features: Float64Array;
  readonly #error: Float64Array;
  #model: PrincipalComponents | null = null;

  constructor(seriesCount: number) {
    this.#count = seriesCount;
    this.#rows = new RecentRows(FEATURES * seriesCount);
    this.#features = new Float64Array(FEATURES * seriesCount);
    this.#error = new Float64Array(FEATURES * seriesCount);
  }

  score(values: Float64Array, out: RowScore): void {
    this.#window.push(values.slice());
    if (this.#window.length > WINDOW_ROWS) this.#window.shift();
    for (let i = 0; i < this.#count; i++) {
      let mean = 0;
      let deviation = 0;
      for (const row of this.#window) mean += (row[i] as number) / this.#window.length;
      for (const row of this.#window) deviation += Math.abs((row[i] as number) - mean) / this.#window.length;
      this.#features.set([values[i] as number, mean, deviation], FEATURES * i);
    }
    out.score = this.#model ? reconstructionError(this.#model, this.#features, this.#error) : 0;
    for (let i = 0; i < this.#count; i++) out.residuals[i] = this.#error[FEATURES * i] as number;
    this.#rows.push(this.#features);
    if (refitsAt(this.#rows.count)) this.#model = fitComponents(this.#rows.all(), this.#rows.width, VARIANCE_SHARE);
  }
}

export function createPcaBaseline(options: MetricDetectorOptions): MetricDetector {
  return new RowBaseline(options, (seriesCount) => new PcaMethod(seriesCount));
}
