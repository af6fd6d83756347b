const EQUALS = 0x3d;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;
const MAX_DIGITS = 14;
const TWO_28 = 2 ** 28;
const TWO_56 = 2 ** 56;

/** Value of a lower-case hexadecimal digit, or -1. */
function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

/** Index of the first `separator` from `at` on, or `end`. */
function until(bytes: Uint8Array, at: number, end: number, separator: number): number {
  let p = at;
  while (p < end && bytes[p] !== separator) p++;
  return p;
}

/** What a threshold of 1 to 14 hexadecimal digits, the rest zeros, stands for; 1 when it is not one. */
function countOf(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > MAX_DIGITS) return 1;
  let high = 0;
  let low = 0;
  for (let i = 0; i < MAX_DIGITS; i++) {
    const value = start + i < end ? digit(bytes[start + i] as number) : 0;
    if (value < 0) return 1;
    if (i < MAX_DIGITS / 2) high = high * 16 + value;
    else low = low * 16 + value;
  }
  return TWO_56 / ((TWO_28 - high) * TWO_28 - low);
}

/**
 * How many spans one span stands for that was sampled with the rejection threshold T of its tracestate, `ot=th:T`:
 * 2^56 / (2^56 - T) (OpenTelemetry, "TraceState: Probability Sampling"). 1 without a threshold, or with one that cannot be read.
 */
export function adjustedCount(bytes: Uint8Array, start: number, end: number): number {
  for (let p = start; p < end;) {
    while (p < end && (bytes[p] === SPACE || bytes[p] === TAB)) p++;
    const entryEnd = until(bytes, p, end, COMMA);
    if (bytes[p] === 0x6f && bytes[p + 1] === 0x74 && bytes[p + 2] === EQUALS && p + 2 < entryEnd) {
      return ofMember(bytes, p + 3, entryEnd);
    }
    p = entryEnd + 1;
  }
  return 1;
}

function ofMember(bytes: Uint8Array, start: number, memberEnd: number): number {
  let end = memberEnd;
  while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--;
  for (let p = start; p < end;) {
    const itemEnd = until(bytes, p, end, SEMICOLON);
    if (bytes[p] === 0x74 && bytes[p + 1] === 0x68 && bytes[p + 2] === COLON && p + 2 < itemEnd) {
      return countOf(bytes, p + 3, itemEnd);
    }
    p = itemEnd + 1;
  }
  return 1;
}
