const EMPTY = -1;

/**
 * Numbers the (entity, sub-window) cells seen since the last `clear` from 0 up, without a string or an object per look-up.
 * Plain twin: a Map from "entity:bucket" to its index.
 */
export class CellIndex {
  #slots = new Int32Array(2048).fill(EMPTY);
  #mask = 2047;
  /** Dictionary id of a cell's entity, and its sub-window (milliseconds since the epoch / 10,000). */
  entity = new Uint32Array(1024);
  bucket = new Float64Array(1024);
  size = 0;

  /** The cell of an entity and sub-window; a new one equals the `size` before the call. */
  find(entity: number, bucket: number): number {
    let slot = this.#slotOf(entity, bucket);
    for (;;) {
      const cell = this.#slots[slot] as number;
      if (cell === EMPTY) break;
      if (this.bucket[cell] === bucket && this.entity[cell] === entity) return cell;
      slot = (slot + 1) & this.#mask;
    }
    const cell = this.size++;
    this.entity[cell] = entity;
    this.bucket[cell] = bucket;
    this.#slots[slot] = cell;
    if (this.size === this.entity.length) this.#grow();
    return cell;
  }

  clear(): void {
    this.#slots.fill(EMPTY);
    this.size = 0;
  }

  #slotOf(entity: number, bucket: number): number {
    const hash = Math.imul(entity, 0x9e3779b1) ^ Math.imul(bucket | 0, 0x85ebca6b);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #grow(): void {
    const { entity, bucket } = this;
    this.entity = new Uint32Array(entity.length * 2);
    this.entity.set(entity);
    this.bucket = new Float64Array(bucket.length * 2);
    this.bucket.set(bucket);
    this.#slots = new Int32Array(entity.length * 4).fill(EMPTY);
    this.#mask = this.#slots.length - 1;
    for (let cell = 0; cell < this.size; cell++) {
      let slot = this.#slotOf(this.entity[cell] as number, this.bucket[cell] as number);
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = cell;
    }
  }
}
