import { scoreRow, trainForest, type IsolationForest } from '../../detect/isolation-forest.ts';
import type { MetricDetector, MetricDetectorOptions } from '../../detect/metric-detector.ts';
import { createPrng } from '../../lib/prng.ts';
import { RecentRows, refitsAt, RowBaseline, type RowMethod, type RowScore } from './row-baseline.ts';

/** Isolation forest alone, over raw values; fitted again each time the history has doubled. */
class IsolationMethod implements RowMethod {
  readonly #rows: RecentRows;
  readonly #seed: number;
  readonly #row: Float32Array;
  #forest: IsolationForest | null = null;

  constructor(seriesCount: number, seed: number) {
    this.#rows = new RecentRows(seriesCount);
    this.#row = new Float32Array(seriesCount);
    this.#seed = seed;
  }

  score(values: Float64Array, out: RowScore): void {
    this.#row.set(values);
    out.score = this.#forest ? -scoreRow(this.#forest, this.#row) : 0;
    this.#rows.push(values);
    if (refitsAt(this.#rows.count)) {
      this.#forest = trainForest(Float32Array.from(this.#rows.all()), this.#rows.width, createPrng(this.#seed));
    }
  }
}

export function createIsolationBaseline(options: MetricDetectorOptions): MetricDetector {
  return new RowBaseline(options, (seriesCount, seed) => new IsolationMethod(seriesCount, seed));
}
