import type { SeriesKey } from './metric.ts';

const NO_SERIES: SeriesKey = { name: '', kind: 'gauge', unit: '', service: '', environment: '', namespace: '', labels: {} };

/** A copy of the array, twice as long. */
function doubled<T extends Uint8Array | Uint32Array>(array: T): T {
  const grown = new (array.constructor as new (length: number) => T)(array.length * 2);
  grown.set(array);
  return grown;
}

export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let p = start; p < end; p++) hash = (Math.imul(hash, 31) + (bytes[p] as number)) | 0;
  return hash;
}

/**
 * Parsed heads of series by their bytes, with ids from 1 up. It only grows: whoever owns it starts a new one when it holds
 * enough. Open addressing over one array of bytes, so that a known head costs no string and no object.
 */
export class HeadTable {
  readonly heads: SeriesKey[] = [NO_SERIES];
  #bytes = new Uint8Array(1 << 16);
  /** Where head `id` ends in `#bytes`; it starts where the one before it ends. */
  #ends = new Uint32Array(256);
  #hashes = new Uint32Array(256);
  #following = new Uint32Array(256);
  #slots = new Uint32Array(512);

  get size(): number {
    return this.heads.length - 1;
  }

  /** The id of the head in `bytes[start, end)`, whose hash is given; 0 when it is not known. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot] as number;
      if (id === 0) return 0;
      if (this.#hashes[id] === hash >>> 0 && this.matchEnd(id, bytes, start) === end) return id;
    }
  }

  /** Adds a head that `find` does not know. */
  add(bytes: Uint8Array, start: number, end: number, key: SeriesKey): number {
    const id = this.heads.length;
    if (id === this.#ends.length) this.#grow();
    const from = this.#ends[id - 1] as number;
    while (from + end - start > this.#bytes.length) this.#bytes = doubled(this.#bytes);
    this.#bytes.set(bytes.subarray(start, end), from);
    this.#ends[id] = from + end - start;
    const hash = hashOf(bytes, start, end);
    this.#hashes[id] = hash;
    this.#insert(id, hash);
    this.heads.push(key);
    return id;
  }

  /** Index in `bytes` after head `id`, if that is what stands at `start`; else -1. */
  matchEnd(id: number, bytes: Uint8Array, start: number): number {
    const known = this.#bytes;
    const end = this.#ends[id] as number;
    let p = start;
    for (let k = this.#ends[id - 1] as number; k < end; k++, p++) if (known[k] !== bytes[p]) return -1;
    return p;
  }

  /** The head that came after this one the last time, 0 for none: senders repeat their order. */
  following(id: number): number {
    return this.#following[id] as number;
  }

  setFollowing(id: number, next: number): void {
    this.#following[id] = next;
  }

  #grow(): void {
    this.#ends = doubled(this.#ends);
    this.#hashes = doubled(this.#hashes);
    this.#following = doubled(this.#following);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let id = 1; id < this.heads.length; id++) this.#insert(id, this.#hashes[id] as number);
  }

  #insert(id: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }
}
