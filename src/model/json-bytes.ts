/** Byte classes and skipping shared by the scanner's fast path and its splitter of bodies into events. */
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const NEWLINE = 0x0a;
export const SLASH = 0x2f;

function table(fill: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (fill(byte) ? 1 : 0));
}

/** JSON white space, and the same without newline. */
export const IS_SPACE = table((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
export const IS_LINE_SPACE = table((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
export const IS_DIGIT = table((byte) => byte >= 0x30 && byte <= 0x39);
/** Bytes that stand for themselves inside a JSON string. */
export const IS_PLAIN = table((byte) => byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH);
export const IS_HEX = table((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte)));
const ENDS_SCALAR = table((byte) => IS_SPACE[byte] === 1 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET);

/** Index after white space from `at` on. */
export function skipSpace(bytes: Uint8Array, at: number, isSpace: Uint8Array): number {
  let p = at;
  while (isSpace[bytes[p] as number] === 1) p++;
  return p;
}

/** Index after the closing quote of the string whose content starts at `at`, or -1. Checks escapes. */
export function skipString(bytes: Uint8Array, at: number): number {
  let p = at;
  for (;;) {
    while (IS_PLAIN[bytes[p] as number] === 1) p++;
    if (bytes[p] === QUOTE) return p + 1;
    if (bytes[p] !== BACKSLASH) return -1;
    const escape = bytes[p + 1];
    if (escape === 0x75) {
      for (let k = 2; k < 6; k++) if (IS_HEX[bytes[p + k] as number] !== 1) return -1;
      p += 6;
    } else if ('"\\/bfnrt'.includes(String.fromCharCode(escape ?? 0))) p += 2;
    else return -1;
  }
}

function skipDigits(bytes: Uint8Array, at: number): number {
  let p = at;
  while (IS_DIGIT[bytes[p] as number] === 1) p++;
  return p;
}

/** Index after the number at `at`, or -1 (RFC 8259, section 6). */
export function skipNumber(bytes: Uint8Array, at: number): number {
  let p = bytes[at] === 0x2d ? at + 1 : at;
  const first = p;
  p = skipDigits(bytes, p);
  if (p === first || (bytes[first] === 0x30 && p > first + 1)) return -1;
  if (bytes[p] === 0x2e) {
    const fraction = p + 1;
    p = skipDigits(bytes, fraction);
    if (p === fraction) return -1;
  }
  if (bytes[p] === 0x65 || bytes[p] === 0x45) {
    p++;
    if (bytes[p] === 0x2b || bytes[p] === 0x2d) p++;
    const exponent = p;
    p = skipDigits(bytes, exponent);
    if (p === exponent) return -1;
  }
  return p;
}

const LITERALS = ['true', 'false', 'null'].map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));

function skipLiteral(bytes: Uint8Array, at: number): number {
  for (const literal of LITERALS) {
    let k = 0;
    while (k < literal.length && bytes[at + k] === literal[k]) k++;
    if (k === literal.length) return at + k;
  }
  return -1;
}

/** Index after the valid JSON value at `at`, or -1 when it is malformed or nests deeper than `depth`. */
export function skipValue(bytes: Uint8Array, at: number, depth: number, isSpace: Uint8Array): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at + 1);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    return depth === 0 ? -1 : skipContainer(bytes, at, depth - 1, isSpace);
  }
  return first === 0x2d || IS_DIGIT[first as number] === 1 ? skipNumber(bytes, at) : skipLiteral(bytes, at);
}

function skipContainer(bytes: Uint8Array, at: number, depth: number, isSpace: Uint8Array): number {
  const isObject = bytes[at] === OPEN_BRACE;
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  let p = skipSpace(bytes, at + 1, isSpace);
  if (bytes[p] === close) return p + 1;
  for (;;) {
    if (isObject) {
      if (bytes[p] !== QUOTE) return -1;
      p = skipString(bytes, p + 1);
      if (p < 0) return -1;
      p = skipSpace(bytes, p, isSpace);
      if (bytes[p] !== COLON) return -1;
      p = skipSpace(bytes, p + 1, isSpace);
    }
    p = skipValue(bytes, p, depth, isSpace);
    if (p < 0) return -1;
    p = skipSpace(bytes, p, isSpace);
    if (bytes[p] === close) return p + 1;
    if (bytes[p] !== COMMA) return -1;
    p = skipSpace(bytes, p + 1, isSpace);
  }
}

/**
 * Index after the value at `at` if it is valid JSON, found by brackets and quotes alone and without recursion;
 * -1 when it does not end. What lies between is still to be judged by JSON.parse.
 */
export function valueExtent(bytes: Uint8Array, at: number): number {
  let depth = 0;
  let p = at;
  while (p < bytes.length) {
    const byte = bytes[p] as number;
    if (byte === QUOTE) {
      p = skipString(bytes, p + 1);
      if (p < 0) return -1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      p++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      p++;
    } else if (depth === 0) {
      const start = p;
      while (p < bytes.length && ENDS_SCALAR[bytes[p] as number] !== 1 && bytes[p] !== QUOTE) p++;
      return p > start ? p : -1;
    } else p++;
    if (depth <= 0) return depth === 0 ? p : -1;
  }
  return -1;
}
