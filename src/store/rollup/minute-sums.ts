import type { RollupAccumulator } from './accumulator.ts';
import { ALL_PARTS, decodeRollups, encodeRollups } from './rollup-codec.ts';
import { SUB_WINDOWS_PER_MINUTE } from './rollup-key.ts';
import { RollupSum } from './rollup-sum.ts';

/** Adds accumulated cells to stored minute rows, one row after the other in the same sums. */
export class MinuteSums {
  readonly #sums = Array.from({ length: SUB_WINDOWS_PER_MINUTE }, () => new RollupSum());
  readonly #endpointOf: (id: number) => number;

  /** `endpointOf`: what an endpoint is called in rows, of its id in the accumulator's dictionary. */
  constructor(endpointOf: (id: number) => number) {
    this.#endpointOf = endpointOf;
  }

  /** The row of one stream's minute: what is stored of it, if anything, and these cells, all of the same stream and minute. */
  merge(stored: Uint8Array | undefined, accumulator: RollupAccumulator, cells: readonly number[]): Uint8Array {
    for (const sum of this.#sums) sum.reset();
    if (stored) decodeRollups(stored, this.#sums, ALL_PARTS);
    for (const cell of cells) this.#addCell(accumulator, cell);
    return encodeRollups(this.#sums);
  }

  #addCell(accumulator: RollupAccumulator, cell: number): void {
    const bucket = accumulator.cells.bucket[cell] as number;
    const slot = bucket - Math.floor(bucket / SUB_WINDOWS_PER_MINUTE) * SUB_WINDOWS_PER_MINUTE;
    const sum = this.#sums[slot] as RollupSum;
    sum.count += accumulator.count[cell] as number;
    sum.errorCount += accumulator.errorCount[cell] as number;
    sum.latencyCount += accumulator.latencyCount[cell] as number;
    sum.latencySum += accumulator.latencySum[cell] as number;
    sum.latencySquareSum += accumulator.latencySquareSum[cell] as number;
    accumulator.histogram.forEach(cell, (id, count) => sum.addToHistogram(id, count));
    accumulator.endpoints.forEach(cell, (id) => sum.addEndpoint(this.#endpointOf(id)));
  }
}
