/** Bytes that stand for a name, kept so that the next occurrence is found without making a string. */
export const NO_NAME = 0;

/**
 * Interns names: bytes to a small id, and back. Id 0 is "no name"; once `capacity` names are known every further one
 * gets the id of "other", so that hostile input cannot grow memory. Ids are valid for the life of the table.
 * Plain twin: a Map from string to id (see name-table.test.ts).
 */
export class NameTable {
  readonly capacity: number;
  readonly otherId: number;
  readonly names: string[] = [''];
  readonly #bytes: Uint8Array[] = [new Uint8Array(0)];
  readonly #slots: Int32Array;
  readonly #hashes: Int32Array;
  readonly #mask: number;
  /** Lookups answered with "other" since the table was made. */
  overflowCount = 0;

  constructor(capacity = 65_536) {
    this.capacity = capacity;
    this.otherId = capacity + 1;
    let size = 16;
    while (size < capacity * 2) size *= 2;
    this.#slots = new Int32Array(size);
    this.#hashes = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** Id of the name in `bytes[start, end)`, which must be valid UTF-8 without JSON escapes. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const slot = this.#slotOf(hash, bytes, start, end);
    const id = this.#slots[slot] as number;
    return id === 0 ? this.#insert(slot, hash, bytes, start, end) : id;
  }

  /** Id of a name that is known already, else 0. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(hashOf(bytes, start, end), bytes, start, end)] as number;
  }

  internString(name: string): number {
    if (name === '') return NO_NAME;
    const bytes = Buffer.from(name);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The name of an id; "other" for the overflow id. */
  name(id: number): string {
    return id === this.otherId ? 'other' : (this.names[id] as string);
  }

  get size(): number {
    return this.names.length - 1;
  }

  /** The slot that holds the name, or the free one where it belongs. */
  #slotOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === 0 || (this.#hashes[slot] === hash && this.#equals(id, bytes, start, end))) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const known = this.#bytes[id] as Uint8Array;
    if (known.length !== end - start) return false;
    for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
    return true;
  }

  #insert(slot: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    if (end === start) return NO_NAME;
    if (this.names.length > this.capacity) {
      this.overflowCount++;
      return this.otherId;
    }
    const copy = Uint8Array.prototype.slice.call(bytes, start, end);
    const id = this.names.length;
    this.names.push(Buffer.from(copy.buffer, copy.byteOffset, copy.length).toString('utf8'));
    this.#bytes.push(copy);
    this.#slots[slot] = id;
    this.#hashes[slot] = hash;
    return id;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = (end - start) | 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return hash;
}
