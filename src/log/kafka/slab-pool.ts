const SMALLEST_BYTES = 4096;
/** What is kept for later, in all sizes together. */
const MAX_FREE_BYTES = 32 * 1024 * 1024;

/** Buffers in powers of two that are used again: memory outside of the heap is what makes the collector run. */
export class SlabPool {
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  /** A buffer of at least `bytes`, with anything in it. */
  take(bytes: number): Buffer {
    let size = SMALLEST_BYTES;
    while (size < bytes) size *= 2;
    const slab = this.#free.get(size)?.pop();
    if (!slab) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return slab;
  }

  give(slab: Buffer): void {
    if (this.#freeBytes + slab.length > MAX_FREE_BYTES) return;
    const slabs = this.#free.get(slab.length);
    if (slabs) slabs.push(slab);
    else this.#free.set(slab.length, [slab]);
    this.#freeBytes += slab.length;
  }
}
