import type { EventBlock } from '../../model/event-block.ts';

/** Bytes of recently read blocks, the least recently used dropped first, so that the next page need not decode them again. */
export class BlockCache {
  readonly #entries = new Map<string, Uint8Array>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  read(block: EventBlock): Uint8Array {
    // A sealed block may start at the offset of a raw one; together with its count and times it is told apart.
    const key = `${block.offset}:${block.count}:${block.minTimestampMs}:${block.maxTimestampMs}`;
    let bytes = this.#entries.get(key);
    if (bytes) this.#entries.delete(key);
    else {
      bytes = block.read();
      this.#bytes += bytes.length;
    }
    this.#entries.set(key, bytes);
    this.#evict();
    return bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  #evict(): void {
    for (const [key, bytes] of this.#entries) {
      if (this.#bytes <= this.#maxBytes || this.#entries.size === 1) return;
      this.#entries.delete(key);
      this.#bytes -= bytes.length;
    }
  }
}
