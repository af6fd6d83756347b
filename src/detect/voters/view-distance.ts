import { RegularizedDistance } from './regularized-distance.ts';

/** A matrix is never larger: beyond it series are split, in their order, into blocks whose distances are added. */
const MAX_BLOCK = 40;

/** Regularized distance over one feature of every series; bounded cost per series however many there are. */
export class ViewDistance {
  private readonly view: Float64Array;
  private readonly blocks: RegularizedDistance[] = [];
  private readonly parts: Float64Array[] = [];

  /** `view` is the feature by series; it is read at each call. */
  constructor(view: Float64Array, memoryRows: number, ridge: number) {
    this.view = view;
    const blockCount = Math.ceil(view.length / MAX_BLOCK);
    for (let b = 0; b < blockCount; b++) {
      const from = Math.round((b * view.length) / blockCount);
      const to = Math.round(((b + 1) * view.length) / blockCount);
      this.parts.push(view.subarray(from, to));
      this.blocks.push(new RegularizedDistance(to - from, memoryRows, ridge));
    }
  }

  /** Distance per series, >= 0. */
  score(): number {
    let sum = 0;
    for (let b = 0; b < this.blocks.length; b++) {
      const part = this.parts[b] as Float64Array;
      sum += (this.blocks[b] as RegularizedDistance).score(part) * part.length;
    }
    return sum / this.view.length;
  }

  /** Signed part of each series in the last distance, written from `at`. */
  contributions(out: Float64Array, at: number): void {
    let j = at;
    for (const block of this.blocks) {
      for (let i = 0; i < block.size; i++) out[j++] = block.contribution(i);
    }
  }

  learn(weight: number): void {
    for (let b = 0; b < this.blocks.length; b++) {
      (this.blocks[b] as RegularizedDistance).learn(this.parts[b] as Float64Array, weight);
    }
  }
}
