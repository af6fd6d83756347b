// Comparing, masking and copying short runs of bytes. All read up to 15 bytes past the end, which the layout leaves room for.

/** Lanes below `length` all ones, the others zero. */
// @ts-ignore: decorator
@inline
export function lanesBelow(length: usize): v128 {
  return i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>length));
}

// @ts-ignore: decorator
@inline
export function areEqual(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  if (i == length) return true;
  return !v128.any_true(v128.and(v128.xor(v128.load(a + i), v128.load(b + i)), lanesBelow(length - i)));
}

/** Also overwrites up to 15 bytes after the copy. */
// @ts-ignore: decorator
@inline
export function copyBytes(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

export function hasByte(at: usize, end: usize, byte: u8): bool {
  for (let p = at; p < end; p += 16) {
    let found = i8x16.eq(v128.load(p), i8x16.splat(<i8>byte));
    if (end - p < 16) found = v128.and(found, lanesBelow(end - p));
    if (v128.any_true(found)) return true;
  }
  return false;
}

/** Up to eight bytes as one little-endian number, the rest zero. */
// @ts-ignore: decorator
@inline
export function shortWord(at: usize, length: usize): u64 {
  return length >= 8 ? load<u64>(at) : load<u64>(at) & ((<u64>1 << (<u64>length << 3)) - 1);
}

/** The hash of `hashId` (id-hash.ts), its low half in the low bits. */
export function idHash(at: usize, end: usize): u64 {
  let low: u32 = <u32>(end - at) ^ 0x9e3779b1;
  let high: u32 = <u32>(end - at) ^ 0x85ebca77;
  for (let p = at; p < end; p += 4) {
    let word = load<u32>(p);
    if (end - p < 4) word &= (<u32>1 << (<u32>(end - p) << 3)) - 1;
    low = (low ^ word) * 0x85ebca6b;
    low ^= low >> 13;
    high = (high ^ word) * 0xc2b2ae35;
    high ^= high >> 16;
  }
  return low == 0 && high == 0 ? <u64>1 << 32 : (<u64>high << 32) | low;
}
