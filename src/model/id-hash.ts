/**
 * 64-bit hash of `bytes[start, end)` into two 32-bit halves at `out[at]` and `out[at + 1]`: two FNV-1a style lanes
 * (Fowler, Noll, Vo) with different primes. Never both 0, which means "no id".
 */
export function hashId(bytes: Uint8Array, start: number, end: number, out: Uint32Array, at: number): void {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 15);
  }
  out[at] = low;
  out[at + 1] = high === 0 && low === 0 ? 1 : high;
}
