/** Points that are not in a block yet, in the order in which they came; `slot` stands for the series (`SeriesRegistry`). */
export class PointBuffer {
  count = 0;
  slots = new Uint32Array(4096);
  times = new Float64Array(4096);
  values = new Float64Array(4096);
  starts = new Float64Array(4096);

  push(slot: number, time: number, value: number, start: number): void {
    if (this.count === this.slots.length) this.#grow();
    const at = this.count++;
    this.slots[at] = slot;
    this.times[at] = time;
    this.values[at] = value;
    this.starts[at] = start;
  }

  clear(): void {
    this.count = 0;
  }

  /** Earliest and latest time from point `from` on; Infinity and -Infinity when there is none. */
  range(from: number): { minMs: number; maxMs: number } {
    let minMs = Infinity;
    let maxMs = -Infinity;
    for (let at = from; at < this.count; at++) {
      const time = this.times[at] as number;
      if (time < minMs) minMs = time;
      if (time > maxMs) maxMs = time;
    }
    return { minMs, maxMs };
  }

  /** Points by slot, each slot's in their order: those of `slot` are `order[ends[slot - 1] or 0]` to `order[ends[slot]]`, exclusive. */
  bySlot(slotCount: number): { order: Uint32Array; ends: Uint32Array } {
    const ends = new Uint32Array(slotCount + 1);
    const { slots, count } = this;
    for (let at = 0; at < count; at++) ends[(slots[at] as number) + 1] = (ends[(slots[at] as number) + 1] as number) + 1;
    for (let slot = 1; slot <= slotCount; slot++) ends[slot] = (ends[slot] as number) + (ends[slot - 1] as number);
    const order = new Uint32Array(count);
    for (let at = 0; at < count; at++) {
      const slot = slots[at] as number;
      const next = ends[slot] as number;
      ends[slot] = next + 1;
      order[next] = at;
    }
    return { order, ends };
  }

  #grow(): void {
    const { slots, times, values, starts } = this;
    const length = this.count * 2;
    (this.slots = new Uint32Array(length)).set(slots);
    (this.times = new Float64Array(length)).set(times);
    (this.values = new Float64Array(length)).set(values);
    (this.starts = new Float64Array(length)).set(starts);
  }
}
