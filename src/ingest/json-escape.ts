const BACKSLASH = 0x5c;
const ZERO = 0x30;
const HEX = Buffer.from('0123456789abcdef');

/** The letter after the backslash of a short escape, 0 for none (RFC 8259, section 7). */
const SHORT_ESCAPE = new Uint8Array(256);
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' })) {
  SHORT_ESCAPE[Number(byte)] = letter.charCodeAt(0);
}

/** Length of the well-formed UTF-8 sequence at `at`, or minus the number of bytes that U+FFFD stands for (Unicode 16, table 3-7). */
export function utf8Sequence(source: Uint8Array, at: number, end: number): number {
  const first = source[at] as number;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return -1;
  // The second byte excludes overlong forms, surrogates, and what is past U+10FFFF.
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let k = 1; k < length; k++) {
    const byte = at + k < end ? (source[at + k] as number) : 0;
    if (byte < (k === 1 ? lowest : 0x80) || byte > (k === 1 ? highest : 0xbf)) return -k;
  }
  return length;
}

/** Writes the escape of a byte below 0x80 that a JSON string may not hold; returns where it ends. */
export function escapeByte(bytes: Uint8Array, start: number, byte: number): number {
  let at = start;
  bytes[at++] = BACKSLASH;
  const short = SHORT_ESCAPE[byte] as number;
  if (short !== 0) {
    bytes[at++] = short;
    return at;
  }
  bytes[at++] = 0x75;
  bytes[at++] = ZERO;
  bytes[at++] = ZERO;
  bytes[at++] = HEX[byte >> 4] as number;
  bytes[at++] = HEX[byte & 15] as number;
  return at;
}

/** Writes U+FFFD; returns where it ends. */
export function replacement(bytes: Uint8Array, at: number): number {
  bytes[at] = 0xef;
  bytes[at + 1] = 0xbf;
  bytes[at + 2] = 0xbd;
  return at + 3;
}
