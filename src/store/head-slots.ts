import type { MetricBatch, SeriesKey } from '../model/metric.ts';

/** Slots by head id of the batches seen last, so that a series is looked up once and not once a point. */
export class HeadSlots {
  #heads: MetricBatch['heads'] = [];
  /** 0 is not looked up yet, else slot + 1. */
  #slotOfHead = new Int32Array(1024);

  /** The slot of a batch's series; `register` is asked for those not known and answers -1 for one that has none, each time again. */
  slotOf(batch: MetricBatch, head: number, register: (key: SeriesKey) => number): number {
    if (batch.heads !== this.#heads) this.forget(batch.heads);
    if (head >= this.#slotOfHead.length) this.#grow(head);
    const known = this.#slotOfHead[head] as number;
    if (known !== 0) return known - 1;
    const slot = register(batch.heads[head] as SeriesKey);
    if (slot >= 0) this.#slotOfHead[head] = slot + 1;
    return slot;
  }

  /** Slots have changed their meaning. */
  forget(heads: MetricBatch['heads'] = this.#heads): void {
    this.#heads = heads;
    this.#slotOfHead.fill(0);
  }

  #grow(head: number): void {
    const grown = new Int32Array(Math.max(head + 1, this.#slotOfHead.length * 2));
    grown.set(this.#slotOfHead);
    this.#slotOfHead = grown;
  }
}
