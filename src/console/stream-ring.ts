import type { SimulationStatus } from '../model/simulation.ts';
import type { Documents } from '../store/store.ts';

/** What goes over the stream, by the name of its event. */
export interface StreamDocuments extends Documents {
  simulation: SimulationStatus;
}
export type StreamKind = keyof StreamDocuments;

/** One document as it goes over the wire, with what readers filter by. */
export interface StreamEntry {
  type: StreamKind;
  /** Entity ids that the document speaks of. */
  services: readonly string[];
  frame: Uint8Array;
}

/**
 * The last entries under consecutive ids, bounded by count and by bytes; the oldest go first.
 * An entry larger than the byte bound is kept until the next one comes.
 */
export class StreamRing {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #entries: (StreamEntry | undefined)[] = [];
  #oldestId: number;
  #nextId: number;
  #bytes = 0;

  constructor(firstId: number, maxEntries: number, maxBytes: number) {
    this.#oldestId = firstId;
    this.#nextId = firstId;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** Id that the next entry gets. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Id of the oldest entry kept; `nextId` when empty. */
  get oldestId(): number {
    return this.#oldestId;
  }

  push(entry: StreamEntry): void {
    const size = entry.frame.length;
    while (this.#oldestId < this.#nextId && this.#isFull(size)) this.#dropOldest();
    this.#entries[this.#nextId % this.#maxEntries] = entry;
    this.#bytes += size;
    this.#nextId++;
  }

  /** Undefined when the entry is gone or not there yet. */
  at(id: number): StreamEntry | undefined {
    return id >= this.#oldestId && id < this.#nextId ? this.#entries[id % this.#maxEntries] : undefined;
  }

  #isFull(moreBytes: number): boolean {
    return this.#nextId - this.#oldestId >= this.#maxEntries || this.#bytes + moreBytes > this.#maxBytes;
  }

  #dropOldest(): void {
    const slot = this.#oldestId % this.#maxEntries;
    this.#bytes -= this.#entries[slot]?.frame.length ?? 0;
    this.#entries[slot] = undefined;
    this.#oldestId++;
  }
}
