// Bodies of columns; column-format.ts says what they look like. Values are pairs of u32 addresses: start and end.
import { NEWLINE, copy, hashOf, same } from './bytes.as';
import { writeTimestamps } from './timestamp-body.as';

const COLUMN_TEXT: u32 = 0;
const COLUMN_TIMESTAMPS: u32 = 1;
const COLUMN_DICTIONARY: u32 = 2;
const COLUMN_FIXED: u32 = 3;
const COLUMN_HEX: u32 = 4;

const MAX_DISTINCT: u32 = 256;
const SLOTS: u32 = 1024;

/** Dictionary id plus one by hash, 0 for none. */
const TABLE = memory.data(2 * 1024);
/** Address of the first value of each dictionary id. */
const EXAMPLES = memory.data(4 * 256, 8);

/** Number of distinct values of the column that was written last; 0 when it did not become a dictionary. */
export let kinds: u32 = 0;
/** Where the body that was written last ends. */
export let bodyEnd: usize = 0;

/** Address of the first value with a dictionary id. */
export function exampleOf(id: u32): usize {
  return load<u32>(EXAMPLES + 4 * id);
}

/** Writes the body of `count` values to `out`, and their dictionary ids to `ids`; returns the encoding. */
export function encodeValues(first: usize, count: u32, out: usize, ids: usize): u32 {
  kinds = 0;
  bodyEnd = writeTimestamps(first, count, out);
  if (bodyEnd !== 0) return COLUMN_TIMESTAMPS;
  kinds = assignIds(first, count, ids);
  if (kinds !== 0) {
    bodyEnd = writeDictionary(out, ids, count);
    return COLUMN_DICTIONARY;
  }
  const fixed = writeFixed(first, count, out);
  if (fixed !== COLUMN_TEXT) return fixed;
  bodyEnd = writeText(first, count, out);
  return COLUMN_TEXT;
}

/** Number of distinct values, 0 when there are too many to be worth it. */
function assignIds(first: usize, count: u32, ids: usize): u32 {
  memory.fill(TABLE, 0, 2 * SLOTS);
  const limit = min(MAX_DISTINCT, 1 + (count >> 1));
  let known: u32 = 0;
  for (let i: u32 = 0, value = first; i < count; i++, value += 8) {
    const start = load<usize>(value);
    const end = load<usize>(value, 4);
    const hash = hashOf(start, end, 0);
    let slot = TABLE + 2 * ((<u32>hash ^ <u32>(hash >> 40)) & (SLOTS - 1));
    let id: u32 = load<u16>(slot);
    while (id !== 0) {
      const example = exampleOf(id - 1);
      const from = load<usize>(example);
      if (load<usize>(example, 4) - from === end - start && same(from, start, end - start)) break;
      slot += 2;
      if (slot === TABLE + 2 * SLOTS) slot = TABLE;
      id = load<u16>(slot);
    }
    if (id === 0) {
      if (known === limit) return 0;
      store<u32>(EXAMPLES + 4 * known, value);
      id = ++known;
      store<u16>(slot, id);
    }
    store<u8>(ids + i, id - 1);
  }
  return known;
}

function writeDictionary(out: usize, ids: usize, count: u32): usize {
  store<u8>(out++, kinds - 1);
  for (let id: u32 = 0; id < kinds; id++) {
    const example = exampleOf(id);
    const start = load<usize>(example);
    const size = load<usize>(example, 4) - start;
    memory.copy(out, start, size);
    out += size;
    store<u8>(out++, NEWLINE);
  }
  if (kinds === 1) return out;
  memory.copy(out, ids, count);
  return out + count;
}

function writeText(first: usize, count: u32, out: usize): usize {
  for (const end = first + 8 * count; first < end; first += 8) {
    const start = load<usize>(first);
    const size = load<usize>(first, 4) - start;
    copy(out, start, size);
    out += size;
    store<u8>(out++, NEWLINE);
  }
  return out;
}

/** Values of one length: its number, the common prefix, then the rest of each. Returns COLUMN_TEXT when they are not. */
function writeFixed(first: usize, count: u32, out: usize): u32 {
  const example = load<usize>(first);
  const length = load<usize>(first, 4) - example;
  if (length === 0 || length > 255) return COLUMN_TEXT;
  const end = first + 8 * count;
  let prefix = length;
  for (let value = first + 8; value < end; value += 8) {
    const start = load<usize>(value);
    if (load<usize>(value, 4) - start !== length) return COLUMN_TEXT;
    let equal: usize = 0;
    while (equal < prefix && load<u8>(start + equal) === load<u8>(example + equal)) equal++;
    prefix = equal;
  }
  store<u8>(out++, length);
  store<u8>(out++, prefix);
  memory.copy(out, example, prefix);
  out += prefix;
  const width = length - prefix;
  bodyEnd = (width & 1) === 0 ? packHex(first, end, prefix, width, out) : 0;
  if (bodyEnd !== 0) return COLUMN_HEX;
  for (let value = first; value < end; value += 8, out += width) copy(out, load<usize>(value) + prefix, width);
  bodyEnd = out;
  return COLUMN_FIXED;
}

/** Sixteen lower-case hex digits a step; 0 when a byte is none. Bytes after a value's end are masked out. */
function packHex(first: usize, end: usize, prefix: usize, width: usize, out: usize): usize {
  for (let value = first; value < end; value += 8) {
    let from = load<usize>(value) + prefix;
    for (let left = <i32>width; left > 0; left -= 16, from += 16) {
      const bytes = v128.load(from);
      const digits = i8x16.sub(bytes, i8x16.splat(48));
      const letters = i8x16.sub(bytes, i8x16.splat(97));
      const isDigit = i8x16.lt_u(digits, i8x16.splat(10));
      const isHex = v128.or(isDigit, i8x16.lt_u(letters, i8x16.splat(6)));
      const wanted = left >= 16 ? 0xffff : (1 << left) - 1;
      if ((~i8x16.bitmask(isHex) & wanted) !== 0) return 0;
      const nibbles = v128.bitselect(digits, i8x16.add(letters, i8x16.splat(10)), isDigit);
      const pairs = v128.or(i16x8.shl(nibbles, 4), i16x8.shr_u(nibbles, 8));
      const packed = i8x16.swizzle(pairs, i8x16(0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1));
      v128.store64_lane(out, packed, 0);
      out += min(left, 16) >> 1;
    }
  }
  return out;
}
