// Byte ranges, sixteen or eight bytes at a time. Every range may be read up to 16 bytes past its end.

export const NEWLINE: u8 = 10;
export const QUOTE: u8 = 34;
export const BACKSLASH: u8 = 92;

/** Whether `size` bytes at `a` and at `b` are the same. */
@inline
export function same(a: usize, b: usize, size: usize): bool {
  let left = size;
  while (left >= 16) {
    if (v128.any_true(v128.xor(v128.load(a), v128.load(b)))) return false;
    a += 16;
    b += 16;
    left -= 16;
  }
  if (left === 0) return true;
  const equal = i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b)));
  return (~equal & ((1 << (<i32>left)) - 1)) === 0;
}

/** Copies `size` bytes; up to 15 bytes after them are written too. */
@inline
export function copy(to: usize, from: usize, size: usize): void {
  for (const end = from + size; from < end; from += 16, to += 16) v128.store(to, v128.load(from));
}

/** Any 32 bits of the range, the same for the same bytes; `seed` sets ranges in a row apart. */
@inline
export function hashOf(from: usize, end: usize, seed: u64): u64 {
  let hash: u64 = seed ^ ((end - from) * 0x9e3779b97f4a7c15);
  while (from + 8 <= end) {
    hash = (hash ^ load<u64>(from)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
    from += 8;
  }
  if (from < end) {
    const rest = load<u64>(from) & ((<u64>1 << ((end - from) * 8)) - 1);
    hash = (hash ^ rest) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

/** Address of the next newline at or after `at`; there has to be one. */
export function lineEnd(at: usize): usize {
  const newline = i8x16.splat(NEWLINE);
  let found = 0;
  while ((found = i8x16.bitmask(i8x16.eq(v128.load(at), newline))) === 0) at += 16;
  return at + ctz(found);
}

/** Address of the quote that closes the string whose first byte is at `at`, or 0 when its line ends before. */
export function stringEnd(at: usize): usize {
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  const newline = i8x16.splat(NEWLINE);
  let byte: u8 = 0;
  do {
    const bytes = v128.load(at);
    const special = v128.or(i8x16.eq(bytes, quote), v128.or(i8x16.eq(bytes, backslash), i8x16.eq(bytes, newline)));
    const found = i8x16.bitmask(special);
    if (found === 0) at += 16;
    else {
      at += ctz(found);
      byte = load<u8>(at);
      if (byte === BACKSLASH) {
        if (load<u8>(at, 1) === NEWLINE) return 0;
        byte = 0;
        at += 2;
      }
    }
  } while (byte === 0);
  return byte === QUOTE ? at : 0;
}
