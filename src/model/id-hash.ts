/**
 * 64-bit hash of `bytes[start, end)` into two 32-bit halves at `out[at]` and `out[at + 1]`: two lanes over words of four
 * bytes (little-endian, the last filled up with zeros), each a round of multiply and xor-shift with the constants of
 * MurmurHash3's finalizer (Appleby). Never both 0, which means "no id".
 */
export function hashId(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): void {
  let low = (end - start) ^ 0x9e3779b1;
  let high = (end - start) ^ 0x85ebca77;
  for (let i = start; i < end; i += 4) {
    let word = bytes[i] as number;
    if (i + 1 < end) word |= (bytes[i + 1] as number) << 8;
    if (i + 2 < end) word |= (bytes[i + 2] as number) << 16;
    if (i + 3 < end) word |= (bytes[i + 3] as number) << 24;
    low = Math.imul(low ^ word, 0x85ebca6b);
    low ^= low >>> 13;
    high = Math.imul(high ^ word, 0xc2b2ae35);
    high ^= high >>> 16;
  }
  out[at] = low;
  out[at + 1] = high === 0 && low === 0 ? 1 : high;
}
