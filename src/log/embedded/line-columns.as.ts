// Splits NDJSON into skeletons and values and writes the values of each column: what line-splitter-oracle.ts and
// column-encoder-oracle.ts do, byte for byte, ten times faster. Built by `npm run wasm`; line-columns.ts drives it.
import { NEWLINE, QUOTE, hashOf, lineEnd, same, stringEnd } from './bytes.as';
import { bodyEnd, encodeValues, exampleOf, kinds } from './column-bodies.as';

const COLON: u8 = 58;
const MAX_VALUES: u32 = 512;
const MAX_SKELETONS: u32 = 1023;
const TABLE_SIZE: u32 = 4096;
const WHOLE_LINE: u32 = 0;
/** Room after each region for reads and writes of sixteen bytes. */
const SLACK: usize = 64;

/** Byte classes: 0 part of a bare value (number, word, anything odd), 1 punctuation, 2 white space. */
const CLASS = memory.data(256);
/** Skeleton id by hash of the literal parts, 0 for none. */
const TABLE = memory.data(2 * 4096);
/** Per skeleton: its example line's start and end, the address of its first value, values in a line, lines. */
const SKELETONS = memory.data(1024 * 20, 8);
/** Whether a skeleton's value stands in quotes, a byte each. */
const QUOTED = memory.data(1024 * 512);
/** Column of a skeleton's value. */
const COLUMN_OF = memory.data(1024 * 512 * 4, 8);
/** The skeleton that came after a skeleton the last time. */
const AFTER = memory.data(2 * 1024);

/** Where the regions lie; see `reserve`. A value is two u32: the addresses of its start and end. */
let source: usize = 0;
let lineSkeletons: usize = 0;
let values: usize = 0;
let gathered: usize = 0;
let cursors: usize = 0;
export let body: usize = 0;
export let ids: usize = 0;

export let skeletons: u32 = 0;
let lines: u32 = 0;
/** End of the values found so far, and of the line that was just read. */
let valueEnd: usize = 0;
let found: usize = 0;

@inline
function skeletonAt(id: u32): usize {
  return SKELETONS + id * 20;
}

function setClasses(): void {
  store<u8>(CLASS + 123, 1);
  store<u8>(CLASS + 125, 1);
  store<u8>(CLASS + 91, 1);
  store<u8>(CLASS + 93, 1);
  store<u8>(CLASS + 44, 1);
  store<u8>(CLASS + 58, 1);
  store<u8>(CLASS + <usize>QUOTE, 1);
  store<u8>(CLASS + <usize>NEWLINE, 1);
  store<u8>(CLASS + 32, 2);
  store<u8>(CLASS + 9, 2);
  store<u8>(CLASS + 13, 2);
}

/** Lays the memory out for `bytes` of lines and returns where they go. Pages that nothing touches cost nothing. */
export function reserve(bytes: u32): usize {
  setClasses();
  // A value takes two bytes at least, its line's newline included; a whole line that is empty takes one.
  const valueBytes: usize = 8 * (<usize>bytes + 1) + SLACK;
  source = (__heap_base + 15) & ~15;
  lineSkeletons = (source + bytes + SLACK) & ~15;
  values = (lineSkeletons + 2 * (<usize>bytes) + SLACK) & ~15;
  gathered = values + valueBytes;
  body = gathered + valueBytes;
  ids = body + 2 * (<usize>bytes) + 65536;
  cursors = (ids + bytes + SLACK) & ~15;
  const end = cursors + 1024 * 512 * 4 + SLACK;
  const pages = <i32>((end + 65535) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) return 0;
  return source;
}

/** Splits the first `length` bytes of the source; returns the number of lines. */
export function split(length: u32): u32 {
  const end = source + length;
  store<u8>(end, NEWLINE);
  memory.fill(TABLE, 0, 2 * TABLE_SIZE);
  memory.fill(AFTER, 0, 2048);
  skeletons = 1;
  lines = 0;
  store<u32>(skeletonAt(WHOLE_LINE) + 12, 1);
  store<u32>(skeletonAt(WHOLE_LINE) + 16, 0);
  let value = values;
  let before = WHOLE_LINE;
  for (let at = source; at < end; at = found + 1) {
    let id: u32 = load<u16>(AFTER + 2 * before);
    if (id === WHOLE_LINE || !follow(id, at, value)) id = read(at, value);
    if (id === WHOLE_LINE) {
      store<u32>(value, at);
      store<u32>(value, found, 4);
      valueEnd = value + 8;
    }
    value = valueEnd;
    const skeleton = skeletonAt(id);
    store<u32>(skeleton + 16, load<u32>(skeleton + 16) + 1);
    store<u16>(lineSkeletons + 2 * lines++, id);
    store<u16>(AFTER + 2 * before, id);
    before = id;
  }
  return lines;
}

@inline
function bareEnd(at: usize): usize {
  while (load<u8>(CLASS + load<u8>(at)) === 0) at++;
  return at;
}

/** Reads the line at `at` as one of a known skeleton; false when it is not. Literal parts never hold a newline. */
function follow(id: u32, at: usize, value: usize): bool {
  const skeleton = skeletonAt(id);
  const count = load<u32>(skeleton + 12);
  let quoted = QUOTED + id * MAX_VALUES;
  let literal = load<usize>(skeleton);
  let example = load<usize>(skeleton, 8);
  for (const end = value + 8 * count; value < end; value += 8) {
    const size = load<usize>(example) - literal;
    if (!same(at, literal, size)) return false;
    at += size;
    const close = load<u8>(quoted) !== 0 ? stringEnd(at) : bareEnd(at);
    if (close === 0 || (close === at && load<u8>(quoted) === 0)) return false;
    store<u32>(value, at);
    store<u32>(value, close, 4);
    at = close;
    literal = load<usize>(example, 4);
    example += 8;
    quoted++;
  }
  const size = load<usize>(skeleton, 4) - literal;
  if (!same(at, literal, size) || load<u8>(at + size) !== NEWLINE) return false;
  found = at + size;
  valueEnd = value;
  return true;
}

/** Finds the values of the line at `at` and the skeleton between them, a new one when there is room. */
function read(at: usize, value: usize): u32 {
  const end = lineEnd(at);
  found = end;
  const quoted = QUOTED + skeletons * MAX_VALUES;
  const start = at;
  let part = at;
  let hash: u64 = 0;
  let count: u32 = 0;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte === QUOTE) {
      const close = stringEnd(at + 1);
      if (close === 0) return WHOLE_LINE;
      let after = close + 1;
      while (load<u8>(CLASS + load<u8>(after)) === 2) after++;
      if (load<u8>(after) !== COLON) {
        if (count === MAX_VALUES) return WHOLE_LINE;
        hash = hashOf(part, at + 1, hash);
        store<u32>(value, at + 1);
        store<u32>(value, close, 4);
        value += 8;
        store<u8>(quoted + count++, 1);
        part = close;
      }
      at = close + 1;
    } else if (load<u8>(CLASS + byte) === 0) {
      if (count === MAX_VALUES) return WHOLE_LINE;
      hash = hashOf(part, at, hash);
      store<u32>(value, at);
      at = bareEnd(at);
      store<u32>(value, at, 4);
      value += 8;
      store<u8>(quoted + count++, 0);
      part = at;
    } else at++;
  }
  hash = hashOf(part, end, hash);
  valueEnd = value;
  return skeletonOf(start, end, value - 8 * count, count, <u32>hash);
}

function skeletonOf(start: usize, end: usize, first: usize, count: u32, hash: u32): u32 {
  let slot = TABLE + 2 * ((hash ^ (hash >> 16)) & (TABLE_SIZE - 1));
  for (;;) {
    const id: u32 = load<u16>(slot);
    if (id === 0) break;
    if (matches(id, start, end, first, count)) return id;
    slot += 2;
    if (slot === TABLE + 2 * TABLE_SIZE) slot = TABLE;
  }
  if (skeletons === MAX_SKELETONS) return WHOLE_LINE;
  const skeleton = skeletonAt(skeletons);
  store<u32>(skeleton, start);
  store<u32>(skeleton, end, 4);
  store<u32>(skeleton, first, 8);
  store<u32>(skeleton, count, 12);
  store<u32>(skeleton, 0, 16);
  store<u16>(slot, skeletons);
  return skeletons++;
}

function matches(id: u32, start: usize, end: usize, first: usize, count: u32): bool {
  const skeleton = skeletonAt(id);
  if (load<u32>(skeleton + 12) !== count) return false;
  let literal = load<usize>(skeleton);
  let example = load<usize>(skeleton, 8);
  for (const last = first + 8 * count; first < last; first += 8) {
    const size = load<usize>(first) - start;
    if (load<usize>(example) - literal !== size || !same(start, literal, size)) return false;
    start = load<usize>(first, 4);
    literal = load<usize>(example, 4);
    example += 8;
  }
  return load<usize>(skeleton, 4) - literal === end - start && same(start, literal, end - start);
}

export function lineSkeleton(): usize {
  return lineSkeletons;
}

export function skeletonValues(id: u32): u32 {
  return load<u32>(skeletonAt(id) + 12);
}

export function skeletonLines(id: u32): u32 {
  return load<u32>(skeletonAt(id) + 16);
}

/** Writes the literal parts with a newline between each two to the body; returns their size. */
export function skeletonText(id: u32): u32 {
  if (id === WHOLE_LINE) {
    store<u8>(body, NEWLINE);
    return 1;
  }
  const skeleton = skeletonAt(id);
  let literal = load<usize>(skeleton);
  let example = load<usize>(skeleton, 8);
  let to = body;
  for (let i = load<u32>(skeleton, 12); i > 0; i--, example += 8) {
    const size = load<usize>(example) - literal;
    memory.copy(to, literal, size);
    to += size;
    store<u8>(to++, NEWLINE);
    literal = load<usize>(example, 4);
  }
  const size = load<usize>(skeleton, 4) - literal;
  memory.copy(to, literal, size);
  return <u32>(to + size - body);
}

/** Where the columns of a skeleton's values are to be written, a u32 each. */
export function columnsOf(id: u32): usize {
  return COLUMN_OF + id * MAX_VALUES * 4;
}

/** Where the index of each column's first value is to be written, a u32 each, before `gather`. */
export function columnStarts(): usize {
  return cursors;
}

/** Brings the values into the order of their columns, within each in the order of the lines. */
export function gather(): void {
  let value = values;
  for (let line: u32 = 0; line < lines; line++) {
    const id: u32 = load<u16>(lineSkeletons + 2 * line);
    let column = columnsOf(id);
    for (const end = column + 4 * skeletonValues(id); column < end; column += 4, value += 8) {
      const cursor = cursors + 4 * load<u32>(column);
      const slot = load<u32>(cursor);
      store<u32>(cursor, slot + 1);
      store<u64>(gathered + 8 * slot, load<u64>(value));
    }
  }
}

/** Writes `count` gathered values from the index `first` on to the body; returns their encoding. */
export function encode(first: u32, count: u32): u32 {
  return encodeValues(gathered + 8 * first, count, body, ids);
}

/** Size of the body that was written last. */
export function bodySize(): u32 {
  return <u32>(bodyEnd - body);
}

/** Number of distinct values in it, 0 when it is no dictionary; then the id of each value stands at `ids`. */
export function dictionarySize(): u32 {
  return kinds;
}

/** Address of two u32: where a value with this dictionary id starts and ends. */
export function dictionaryEntry(id: u32): usize {
  return exampleOf(id);
}
