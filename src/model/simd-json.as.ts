// JSON grammar over bytes (RFC 8259), sixteen at a time. Every function takes the address where something starts and
// answers the address after it, or 0 when it is malformed; a zero byte after the text makes bounds checks needless.
import { decimal } from './simd-imports.as.ts';

export const QUOTE: u32 = 0x22;
export const COMMA: u32 = 0x2c;
export const COLON: u32 = 0x3a;
export const NEWLINE: u32 = 0x0a;
export const OPEN_BRACE: u32 = 0x7b;
export const CLOSE_BRACE: u32 = 0x7d;
const BACKSLASH: u32 = 0x5c;
const OPEN_BRACKET: u32 = 0x5b;
const CLOSE_BRACKET: u32 = 0x5d;
const NULL: u32 = 0x6c6c756e;
const TRUE: u32 = 0x65757274;
const ALSE: u32 = 0x65736c61;

/** Whether a number with an exponent has been passed since it was last cleared: such numbers may be written longer by others. */
export let hasExponent: bool = false;
export function clearExponent(): void {
  hasExponent = false;
}

/** White space within a line. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  let p = at;
  for (let byte: u32 = load<u8>(p); byte == 0x20 || byte == 0x09 || byte == 0x0d; byte = load<u8>(p)) p++;
  return p;
}

/** White space, newlines included. */
export function skipBlank(at: usize): usize {
  let p = at;
  for (let byte: u32 = load<u8>(p); byte == 0x20 || byte == NEWLINE || byte == 0x0d || byte == 0x09; byte = load<u8>(p)) p++;
  return p;
}

/**
 * A bit for every byte of sixteen that does not stand for itself inside a string. Flipping bit 1 puts the quote (0x22)
 * just above the control characters, so that one comparison finds both.
 */
// @ts-ignore: decorator
@inline
function specialBytes(p: usize): i32 {
  const bytes = v128.load(p);
  const flipped = v128.xor(bytes, i8x16.splat(2));
  const isQuoteOrControl = i8x16.eq(i8x16.min_u(flipped, i8x16.splat(0x20)), flipped);
  return i8x16.bitmask(v128.or(isQuoteOrControl, i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH))));
}

/** The closing quote itself of a string without escapes whose content starts at `at`. */
// @ts-ignore: decorator
@inline
export function plainStringEnd(at: usize): usize {
  let p = at;
  let special = specialBytes(p);
  while (special == 0) special = specialBytes((p += 16));
  p += ctz(special);
  return load<u8>(p) == QUOTE ? p : 0;
}

/** A string, escapes checked, whose content starts at `at`. */
export function skipString(at: usize): usize {
  let p = at;
  while (true) {
    const special = specialBytes(p);
    if (special == 0) {
      p += 16;
      continue;
    }
    p += ctz(special);
    const byte: u32 = load<u8>(p);
    if (byte == QUOTE) return p + 1;
    if (byte != BACKSLASH) return 0;
    p = skipEscape(p + 1);
    if (p == 0) return 0;
  }
}

function skipEscape(at: usize): usize {
  switch (<u32>load<u8>(at)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return at + 1;
    case 0x75:
      return isHex(at + 1) && isHex(at + 2) && isHex(at + 3) && isHex(at + 4) ? at + 5 : 0;
    default:
      return 0;
  }
}

function isHex(at: usize): bool {
  const byte: u32 = load<u8>(at);
  return byte - 0x30 < 10 || (byte | 0x20) - 0x61 < 6;
}

// @ts-ignore: decorator
@inline
function skipDigits(at: usize): usize {
  let p = at;
  while (<u32>load<u8>(p) - 0x30 < 10) p++;
  return p;
}

export function skipNumber(at: usize): usize {
  const first = load<u8>(at) == 0x2d ? at + 1 : at;
  let p = skipDigits(first);
  if (p == first || (load<u8>(first) == 0x30 && p > first + 1)) return 0;
  if (load<u8>(p) == 0x2e) {
    const fraction = p + 1;
    p = skipDigits(fraction);
    if (p == fraction) return 0;
  }
  if ((load<u8>(p) | 0x20) == 0x65) {
    hasExponent = true;
    p++;
    if (load<u8>(p) == 0x2b || load<u8>(p) == 0x2d) p++;
    const exponent = p;
    p = skipDigits(exponent);
    if (p == exponent) return 0;
  }
  return p;
}

/** Value of the valid number in [at, end), rounded as JSON.parse rounds. */
export function numberValue(at: usize, end: usize): f64 {
  let mantissa: u64 = 0;
  let scale: f64 = 1;
  let hasPoint = false;
  for (let p = at; p < end; p++) {
    const byte: u32 = load<u8>(p);
    const digit = byte - 0x30;
    if (digit < 10) {
      mantissa = mantissa * 10 + digit;
      if (hasPoint) scale *= 10;
    } else if (byte == 0x2e) hasPoint = true;
    else return decimal(at, <i32>(end - at));
  }
  // Up to 2^53 and 10^22 both are exact, so that one division rounds once (Clinger 1990); 17 digits cannot overflow 64 bits.
  return end - at <= 17 && mantissa <= 9_007_199_254_740_992 ? <f64>mantissa / scale : decimal(at, <i32>(end - at));
}

// @ts-ignore: decorator
@inline
export function isNull(at: usize): bool {
  return load<u32>(at) == NULL;
}

/** Any value that nests at most `depth` deep, without a newline. */
export function skipValue(at: usize, depth: i32): usize {
  const first: u32 = load<u8>(at);
  if (first == QUOTE) return skipString(at + 1);
  if (first - 0x30 < 10 || first == 0x2d) return skipNumber(at);
  if (first == OPEN_BRACE) return depth == 0 ? 0 : skipObject(at, depth - 1);
  if (first == OPEN_BRACKET) return depth == 0 ? 0 : skipArray(at, depth - 1);
  const word = load<u32>(at);
  if (word == TRUE || word == NULL) return at + 4;
  return first == 0x66 && load<u32>(at + 1) == ALSE ? at + 5 : 0;
}

function skipObject(at: usize, depth: i32): usize {
  let p = skipSpace(at + 1);
  if (load<u8>(p) == CLOSE_BRACE) return p + 1;
  while (true) {
    if (load<u8>(p) != QUOTE) return 0;
    p = skipString(p + 1);
    if (p == 0) return 0;
    p = skipSpace(p);
    if (load<u8>(p) != COLON) return 0;
    p = skipValue(skipSpace(p + 1), depth);
    if (p == 0) return 0;
    p = skipSpace(p);
    const byte: u32 = load<u8>(p);
    if (byte == CLOSE_BRACE) return p + 1;
    if (byte != COMMA) return 0;
    p = skipSpace(p + 1);
  }
}

function skipArray(at: usize, depth: i32): usize {
  let p = skipSpace(at + 1);
  if (load<u8>(p) == CLOSE_BRACKET) return p + 1;
  while (true) {
    p = skipValue(p, depth);
    if (p == 0) return 0;
    p = skipSpace(p);
    const byte: u32 = load<u8>(p);
    if (byte == CLOSE_BRACKET) return p + 1;
    if (byte != COMMA) return 0;
    p = skipSpace(p + 1);
  }
}
