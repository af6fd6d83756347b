import type { Idempotency, KnownRequest } from './event-log.ts';

/** An idempotency key as it is stored; texts of it are made only for who asks. */
export interface StoredKey {
  /** Key hash, then body hash. */
  hashes: Uint8Array;
  answer: string;
}

export interface IdempotencyLimits {
  windowMs: number;
  maxKeys: number;
}

const KEY_WORDS = 4;
const BODY_WORDS = 2;
const INITIAL_KEYS = 1024;
/** Answers longer than "" are rare; together they may take this much, then the oldest keys go. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * The requests of the last hours by key hash: a ring of rows, oldest first, in flat arrays, and an open-addressing table
 * of row numbers. 36 bytes a row and 8 a table slot pair; nothing per key on the heap.
 */
export class IdempotencyIndex {
  readonly #limits: IdempotencyLimits;
  readonly #onEvict: (count: number) => void;
  #capacity: number;
  #keys: Uint32Array;
  #bodies: Uint32Array;
  #times: Float64Array;
  #counts: Uint32Array;
  readonly #answers = new Map<number, string>();
  #answerBytes = 0;
  #table: Int32Array;
  #head = 0;
  #size = 0;
  readonly #scratch = Buffer.alloc(4 * (KEY_WORDS + BODY_WORDS));

  /** `onEvict` is told of keys that went before their time. */
  constructor(limits: IdempotencyLimits, onEvict: (count: number) => void) {
    this.#limits = limits;
    this.#onEvict = onEvict;
    this.#capacity = Math.max(1, Math.min(INITIAL_KEYS, limits.maxKeys));
    this.#keys = new Uint32Array(this.#capacity * KEY_WORDS);
    this.#bodies = new Uint32Array(this.#capacity * BODY_WORDS);
    this.#times = new Float64Array(this.#capacity);
    this.#counts = new Uint32Array(this.#capacity);
    this.#table = new Int32Array(tableSize(this.#capacity)).fill(-1);
  }

  get size(): number {
    return this.#size;
  }

  /** Makes room for this many keys, as far as the limit goes, so that adding them does not grow the tables step by step. */
  reserve(keys: number): void {
    if (Math.min(keys, this.#limits.maxKeys) > this.#capacity) this.#grow(keys);
  }

  /** Adds a durable request; a key that is known already is replaced. */
  add({ keyHash, bodyHash, answer }: Idempotency, count: number, receivedAtMs: number, nowMs: number): void {
    this.#parse(keyHash, bodyHash);
    this.#addScratch(answer, count, receivedAtMs, nowMs);
  }

  /** The same for a request that was read back from the log; at a start there are millions. */
  restore({ hashes, answer }: StoredKey, count: number, receivedAtMs: number, nowMs: number): void {
    this.#scratch.set(hashes);
    this.#addScratch(answer, count, receivedAtMs, nowMs);
  }

  #addScratch(answer: string, count: number, receivedAtMs: number, nowMs: number): void {
    if (this.#limits.maxKeys < 1 || receivedAtMs < nowMs - this.#limits.windowMs) return;
    this.#expire(nowMs);
    if (this.#size === this.#capacity) {
      if (this.#capacity < this.#limits.maxKeys) this.#grow(2 * this.#capacity);
      else this.#evict();
    }
    const row = (this.#head + this.#size) % this.#capacity;
    this.#size++;
    for (let i = 0; i < KEY_WORDS; i++) this.#keys[row * KEY_WORDS + i] = this.#scratch.readUInt32LE(4 * i);
    for (let i = 0; i < BODY_WORDS; i++) this.#bodies[row * BODY_WORDS + i] = this.#scratch.readUInt32LE(16 + 4 * i);
    this.#times[row] = receivedAtMs;
    this.#counts[row] = count;
    if (answer !== '') {
      this.#answers.set(row, answer);
      this.#answerBytes += answer.length;
      while (this.#answerBytes > MAX_ANSWER_BYTES && this.#size > 1) this.#evict();
    }
    const slot = this.#slotOf(row);
    this.#table[slot] = row;
  }

  find(keyHash: string, nowMs: number): KnownRequest | undefined {
    this.#parse(keyHash, '');
    const mask = this.#table.length - 1;
    const home = this.#scratch.readUInt32LE(0) ^ this.#scratch.readUInt32LE(12);
    for (let slot = home & mask; ; slot = (slot + 1) & mask) {
      const row = this.#table[slot] as number;
      if (row < 0) return undefined;
      if (!this.#isScratchKey(row)) continue;
      if ((this.#times[row] as number) < nowMs - this.#limits.windowMs) return undefined;
      const body = Buffer.alloc(8);
      body.writeUInt32LE(this.#bodies[row * BODY_WORDS] as number, 0);
      body.writeUInt32LE(this.#bodies[row * BODY_WORDS + 1] as number, 4);
      return { bodyHash: body.toString('hex'), count: this.#counts[row] as number, answer: this.#answers.get(row) ?? '' };
    }
  }

  #parse(keyHash: string, bodyHash: string): void {
    this.#scratch.fill(0);
    this.#scratch.write(keyHash, 0, 16, 'hex');
    this.#scratch.write(bodyHash, 16, 8, 'hex');
  }

  #isScratchKey(row: number): boolean {
    for (let i = 0; i < KEY_WORDS; i++) {
      if (this.#keys[row * KEY_WORDS + i] !== this.#scratch.readUInt32LE(4 * i)) return false;
    }
    return true;
  }

  /** The key is a hash itself; two of its words are enough. */
  #hashOf(row: number): number {
    return (this.#keys[row * KEY_WORDS] as number) ^ (this.#keys[row * KEY_WORDS + 3] as number);
  }

  #sameKey(a: number, b: number): boolean {
    for (let i = 0; i < KEY_WORDS; i++) if (this.#keys[a * KEY_WORDS + i] !== this.#keys[b * KEY_WORDS + i]) return false;
    return true;
  }

  /** Where the row's key stands in the table, or the free slot where it belongs. */
  #slotOf(row: number): number {
    const mask = this.#table.length - 1;
    let slot = this.#hashOf(row) & mask;
    while ((this.#table[slot] as number) >= 0 && !this.#sameKey(this.#table[slot] as number, row)) slot = (slot + 1) & mask;
    return slot;
  }

  #expire(nowMs: number): void {
    const oldest = nowMs - this.#limits.windowMs;
    while (this.#size > 0 && (this.#times[this.#head] as number) < oldest) this.#removeOldest();
  }

  #evict(): void {
    this.#removeOldest();
    this.#onEvict(1);
  }

  #removeOldest(): void {
    const row = this.#head;
    const slot = this.#slotOf(row);
    // A later request with the same key has taken the slot over.
    if (this.#table[slot] === row) this.#vacate(slot);
    this.#answerBytes -= this.#answers.get(row)?.length ?? 0;
    this.#answers.delete(row);
    this.#head = (this.#head + 1) % this.#capacity;
    this.#size--;
  }

  /** Backward-shift deletion (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
  #vacate(slot: number): void {
    const mask = this.#table.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; ; next = (next + 1) & mask) {
      const row = this.#table[next] as number;
      if (row < 0) break;
      const home = this.#hashOf(row) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#table[hole] = row;
      hole = next;
    }
    this.#table[hole] = -1;
  }

  #grow(capacity: number): void {
    const old = { keys: this.#keys, bodies: this.#bodies, times: this.#times, counts: this.#counts };
    const answers = [...this.#answers];
    const [head, size, oldCapacity] = [this.#head, this.#size, this.#capacity];
    this.#capacity = Math.min(capacity, this.#limits.maxKeys);
    this.#keys = unrolled(old.keys, head * KEY_WORDS, this.#capacity * KEY_WORDS);
    this.#bodies = unrolled(old.bodies, head * BODY_WORDS, this.#capacity * BODY_WORDS);
    this.#times = unrolled(old.times, head, this.#capacity);
    this.#counts = unrolled(old.counts, head, this.#capacity);
    this.#answers.clear();
    for (const [row, answer] of answers) this.#answers.set((row - head + oldCapacity) % oldCapacity, answer);
    this.#head = 0;
    this.#table = new Int32Array(tableSize(this.#capacity)).fill(-1);
    for (let row = 0; row < size; row++) this.#table[this.#slotOf(row)] = row;
  }
}

/** A power of two with at most half of the slots taken. */
function tableSize(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(2 * capacity));
}

/** A larger copy of a full ring with its oldest item first. */
function unrolled<T extends Uint32Array | Float64Array>(ring: T, head: number, length: number): T {
  const copy = new (ring.constructor as new (length: number) => T)(length);
  copy.set(ring.subarray(head));
  copy.set(ring.subarray(0, head), ring.length - head);
  return copy;
}
