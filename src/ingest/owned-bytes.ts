/** Below this the giving back costs more than the memory is worth. */
const MIN_BYTES = 4096;

/**
 * Gives memory back at once, after its last use. Node.js keeps bodies outside the heap, and V8 collects whenever that has
 * grown by some 64 MB: at 100 MB/s of bodies that is a fifth of the whole processor time. A part of a larger buffer is left
 * alone, for others use the rest of it, and so are few bytes. What was given back is empty afterwards.
 */
export function releaseBytes({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (byteLength < MIN_BYTES || byteOffset !== 0 || buffer.byteLength !== byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
