/** The four ASCII bytes of the hexadecimal digits of 16 bits, as one little-endian word. */
const DIGITS = Uint32Array.from({ length: 65_536 }, (_, value) => {
  const text = value.toString(16).padStart(4, '0');
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8) | (text.charCodeAt(2) << 16) | (text.charCodeAt(3) << 24);
});

/** `hashId` of model/id-hash.ts over the hexadecimal text of `count` 32-bit words, without making the text. */
export function hashWords(words: Uint32Array, from: number, count: number, out: Uint32Array, at: number): void {
  let low = (8 * count) ^ 0x9e3779b1;
  let high = (8 * count) ^ 0x85ebca77;
  for (let i = 0; i < 2 * count; i++) {
    const word = words[from + (i >> 1)] as number;
    const digits = DIGITS[(i & 1) === 0 ? word >>> 16 : word & 0xffff] as number;
    low = Math.imul(low ^ digits, 0x85ebca6b);
    low ^= low >>> 13;
    high = Math.imul(high ^ digits, 0xc2b2ae35);
    high ^= high >>> 16;
  }
  out[at] = low;
  out[at + 1] = high === 0 && low === 0 ? 1 : high;
}
