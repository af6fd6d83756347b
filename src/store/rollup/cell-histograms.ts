import { HISTOGRAM_BUCKETS } from '../../model/histogram.ts';
import { PairCounter } from './pair-counter.ts';

/** Cells with a dense histogram of 5 KiB each; what is beyond is kept as pairs. */
const DENSE_CELLS = 512;

/**
 * Latency histograms by cell. The first cells since the last `clear` have dense counts, a tenth of the cost of a hashed
 * pair: a commit interval touches few cells unless there are thousands of services.
 * Plain twin: a Map from cell to a Map from bucket to count.
 */
export class CellHistograms {
  readonly #dense = new Uint32Array(DENSE_CELLS * HISTOGRAM_BUCKETS);
  /** Exclusive end of the dense cells that hold counts. */
  #used = 0;
  readonly #pairs = new PairCounter(4096);

  add(cell: number, bucket: number, count: number): void {
    if (cell >= DENSE_CELLS) {
      this.#pairs.add(cell - DENSE_CELLS, bucket, count);
      return;
    }
    if (cell >= this.#used) this.#used = cell + 1;
    (this.#dense[cell * HISTOGRAM_BUCKETS + bucket] as number) += count;
  }

  forEach(cell: number, visit: (bucket: number, count: number) => void): void {
    if (cell >= DENSE_CELLS) {
      this.#pairs.forEach(cell - DENSE_CELLS, visit);
      return;
    }
    if (cell >= this.#used) return;
    const start = cell * HISTOGRAM_BUCKETS;
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
      const count = this.#dense[start + bucket] as number;
      if (count !== 0) visit(bucket, count);
    }
  }

  clear(): void {
    this.#dense.fill(0, 0, this.#used * HISTOGRAM_BUCKETS);
    this.#used = 0;
    this.#pairs.clear();
  }
}
