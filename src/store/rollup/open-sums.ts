import { RollupSum } from './rollup-sum.ts';
import { entityOfStream } from './rollup-key.ts';

/** Told once of every entity and bucket with events, ascending by bucket. The sum is valid during the call only. */
export type SumVisitor = (entity: number, bucket: number, sum: RollupSum) => void;

/** The sums of buckets that are still being read, by bucket and stream. */
export class OpenSums {
  readonly #byBucket = new Map<number, Map<number, RollupSum>>();
  readonly #spare: RollupSum[] = [];

  at(bucket: number, stream: number): RollupSum {
    let sums = this.#byBucket.get(bucket);
    if (!sums) this.#byBucket.set(bucket, (sums = new Map()));
    let sum = sums.get(stream);
    if (!sum) sums.set(stream, (sum = this.#spare.pop() ?? new RollupSum()));
    return sum;
  }

  /** Hands every bucket below `bucket` to `visit`. */
  close(bucket: number, visit: SumVisitor): void {
    for (const done of [...this.#byBucket.keys()].sort((a, b) => a - b)) {
      if (done >= bucket) return;
      for (const [stream, sum] of this.#byBucket.get(done) as Map<number, RollupSum>) {
        if (sum.count > 0) visit(entityOfStream(stream), done, sum);
        sum.reset();
        this.#spare.push(sum);
      }
      this.#byBucket.delete(done);
    }
  }
}
