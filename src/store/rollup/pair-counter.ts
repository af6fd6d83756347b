const EMPTY = -1;

/**
 * Counts (owner, id) pairs in flat arrays and walks them by owner: an open-addressing table over entries that are also
 * chained per owner. Grows by doubling; `clear` keeps the memory.
 * Plain twin: a Map from owner to a Map from id to count.
 */
export class PairCounter {
  #slots: Int32Array;
  #mask: number;
  #size = 0;
  #owner: Uint32Array;
  #id: Uint32Array;
  #count: Uint32Array;
  #next: Int32Array;
  #head: Int32Array;

  constructor(capacity = 4096) {
    this.#slots = new Int32Array(capacity * 2).fill(EMPTY);
    this.#mask = capacity * 2 - 1;
    this.#owner = new Uint32Array(capacity);
    this.#id = new Uint32Array(capacity);
    this.#count = new Uint32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#head = new Int32Array(256).fill(EMPTY);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds `count` to a pair; true when the pair is new. `owner` counts up from 0 without large gaps. */
  add(owner: number, id: number, count: number): boolean {
    const hash = Math.imul(owner, 0x9e3779b1) ^ Math.imul(id, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot] as number;
      if (entry === EMPTY) break;
      if (this.#id[entry] === id && this.#owner[entry] === owner) {
        (this.#count[entry] as number) += count;
        return false;
      }
      slot = (slot + 1) & this.#mask;
    }
    this.#insert(slot, owner, id, count);
    return true;
  }

  /** Visits the pairs of one owner, newest first. */
  forEach(owner: number, visit: (id: number, count: number) => void): void {
    if (owner >= this.#head.length) return;
    for (let entry = this.#head[owner] as number; entry !== EMPTY; entry = this.#next[entry] as number) {
      visit(this.#id[entry] as number, this.#count[entry] as number);
    }
  }

  clear(): void {
    this.#slots.fill(EMPTY);
    this.#head.fill(EMPTY);
    this.#size = 0;
  }

  #insert(slot: number, owner: number, id: number, count: number): void {
    const entry = this.#size++;
    if (owner >= this.#head.length) this.#growHeads(owner);
    this.#owner[entry] = owner;
    this.#id[entry] = id;
    this.#count[entry] = count;
    this.#next[entry] = this.#head[owner] as number;
    this.#head[owner] = entry;
    this.#slots[slot] = entry;
    if (this.#size === this.#owner.length) this.#grow();
  }

  #growHeads(owner: number): void {
    const grown = new Int32Array(Math.max(owner + 1, this.#head.length * 2)).fill(EMPTY);
    grown.set(this.#head);
    this.#head = grown;
  }

  #grow(): void {
    const capacity = this.#owner.length * 2;
    const copy = <T extends Uint32Array | Int32Array>(grown: T, old: T): T => {
      grown.set(old);
      return grown;
    };
    this.#owner = copy(new Uint32Array(capacity), this.#owner);
    this.#id = copy(new Uint32Array(capacity), this.#id);
    this.#count = copy(new Uint32Array(capacity), this.#count);
    this.#next = copy(new Int32Array(capacity), this.#next);
    this.#slots = new Int32Array(capacity * 2).fill(EMPTY);
    this.#mask = capacity * 2 - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      const hash = Math.imul(this.#owner[entry] as number, 0x9e3779b1) ^ Math.imul(this.#id[entry] as number, 0x85ebca6b);
      let slot = (hash ^ (hash >>> 15)) & this.#mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = entry;
    }
  }
}
