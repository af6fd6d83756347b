// Reads usual events straight from bytes into columns. It only ever accepts: whatever is unusual (escapes in what is
// interned, duplicate keys, odd times, anything wrong) is left to the plain rules (event-rules.ts), limits as there.
import { idHash } from './simd-bytes.as.ts';
import { clearEntity, readEntity, setEnvironment, setNamespace, setService } from './simd-entity.as.ts';
import * as json from './simd-json.as.ts';
import * as keys from './simd-keys.as.ts';
import * as columns from './simd-layout.as.ts';
import { COLUMNS, setCapacity, WINDOW, WINDOW_BYTES } from './simd-layout.as.ts';
import { ENDPOINTS, nameId, VERSIONS } from './simd-names.as.ts';
import { readTime } from './simd-time.as.ts';
import { addWord, codeOfLevel, codeOfWord, KINDS, nextWord } from './simd-words.as.ts';

export { addWord, COLUMNS, nextWord, setCapacity, WINDOW, WINDOW_BYTES };

const MAX_SERVICE_BYTES: usize = 128;
const MAX_ID_BYTES: usize = 128;
const MAX_ENDPOINT_BYTES: usize = 512;
const MAX_MESSAGE_BYTES: usize = 65_536;
const MAX_METADATA_BYTES: usize = 65_536;
/** JSON.stringify writes a number with an exponent in up to 22 characters where 4 would do. */
const MAX_METADATA_BYTES_WITH_EXPONENTS: usize = 8192;
const MAX_DEPTH: i32 = 15;
const MAX_LATENCY_MS: f64 = 1e9;
const MAX_WEIGHT: f64 = 72_057_594_037_927_936;
const REQUIRED: u32 =
  (1 << keys.KEY_TIMESTAMP) | (1 << keys.KEY_SERVICE) | (1 << keys.KEY_LEVEL) | (1 << keys.KEY_MESSAGE);

let latestMs: f64 = Infinity;
let earliestMs: f64 = -Infinity;
let isRestricted: bool = false;
/** What added to an address in the window makes an index in the body. */
let shift: usize = 0;

let row: usize = 0;
/** Bit n: the key of code n has occurred, at the top level or in metadata. */
let seen: u32 = 0;
let messageBytes: usize = 0;
let endpointStart: usize = 0;
let endpointEnd: usize = 0;
let versionKey: i32 = keys.KEY_OTHER;
let versionStart: usize = 0;
let versionEnd: usize = 0;

export function setLimits(latest: f64, earliest: f64, restricted: bool): void {
  latestMs = latest;
  earliestMs = earliest;
  isRestricted = restricted;
}

/** The window holds the body from index `start` on, in `length` bytes. */
export function setWindow(start: usize, length: usize): void {
  shift = start - columns.WINDOW;
  for (let i: usize = 0; i < 32; i += 16) v128.store(columns.WINDOW + length + i, i64x2.splat(0));
}

export function rowCount(): usize {
  return row;
}

/** Reads lines into rows from `firstRow` on; the address of the first line that is left to others, or `end`. */
export function readLines(at: usize, end: usize, isLast: bool, firstRow: usize): usize {
  row = firstRow;
  let p = at;
  while (true) {
    p = json.skipBlank(p);
    if (p >= end) return end;
    const after = readEvent(p);
    if (after == 0) return p;
    const next = json.skipSpace(after);
    if (load<u8>(next) != json.NEWLINE && (next != end || !isLast)) return p;
    row++;
    if (next >= end) return end;
    p = next + 1;
  }
}

/** Reads elements of an array that are followed by another; the address of the first one that is left to others. */
export function readElements(at: usize, firstRow: usize): usize {
  row = firstRow;
  let p = at;
  while (true) {
    const after = readEvent(p);
    if (after == 0) return p;
    const next = json.skipBlank(after);
    if (load<u8>(next) != json.COMMA) return p;
    row++;
    p = json.skipBlank(next + 1);
  }
}

/** The address after the event at `at`, now in row `row`; or 0, and the row is undefined. */
function readEvent(at: usize): usize {
  if (load<u8>(at) != json.OPEN_BRACE) return 0;
  clearRow();
  let p = json.skipSpace(at + 1);
  let place = 0;
  while (true) {
    const key = keys.readKey(p, place++, false);
    if (key < 0) return 0;
    p = key == keys.KEY_OTHER ? json.skipValue(keys.valueStart, MAX_DEPTH) : readField(key, keys.valueStart);
    if (p == 0) return 0;
    p = json.skipSpace(p);
    const byte: u32 = load<u8>(p);
    if (byte == json.CLOSE_BRACE) break;
    if (byte != json.COMMA) return 0;
    p = json.skipSpace(p + 1);
  }
  p++;
  if ((seen & REQUIRED) != REQUIRED) return 0;
  if (p - at - messageBytes > (json.hasExponent ? MAX_METADATA_BYTES_WITH_EXPONENTS : MAX_METADATA_BYTES)) return 0;
  const entity = readEntity(isRestricted);
  if (entity == 0) return 0;
  store<i32>(columns.entities + (row << 2), entity);
  store<i32>(columns.endpoints + (row << 2), nameId(ENDPOINTS, endpointStart, endpointEnd));
  store<i32>(columns.versions + (row << 2), nameId(VERSIONS, versionStart, versionEnd));
  store<u32>(columns.offsets + (row << 2), <u32>(at + shift));
  store<u32>(columns.lengths + (row << 2), <u32>(p - at));
  return p;
}

// @ts-ignore: decorator
@inline
function clearRow(): void {
  seen = 0;
  endpointStart = endpointEnd = versionStart = versionEnd = 0;
  versionKey = keys.KEY_OTHER;
  json.clearExponent();
  clearEntity();
  store<f64>(columns.latencies + (row << 3), NaN);
  store<f64>(columns.weights + (row << 3), 1);
  store<u64>(columns.traceHashes + (row << 3), 0);
  store<u64>(columns.spanHashes + (row << 3), 0);
  store<u64>(columns.parentHashes + (row << 3), 0);
  store<u8>(columns.kinds + row, 0);
}

/** The address after the value at `at` of a known key, or 0. */
function readField(key: i32, at: usize): usize {
  const bit: u32 = 1 << key;
  if ((seen & bit) != 0) return 0;
  seen |= bit;
  if (key == keys.KEY_MESSAGE) return readMessage(at);
  if (key == keys.KEY_METADATA) return load<u8>(at) == json.OPEN_BRACE ? readMetadata(at) : readNull(at);
  if (load<u8>(at) == json.QUOTE) {
    const end = json.plainStringEnd(at + 1);
    return end != 0 && takeString(key, at + 1, end) ? end + 1 : 0;
  }
  if (key == keys.KEY_LATENCY || key == keys.KEY_WEIGHT) return isNumber(at) ? readNumber(key, at) : readNull(at);
  return key < keys.KEY_TRACE || key == keys.KEY_KIND ? 0 : readNull(at);
}

/** Where null says as much as nothing. */
// @ts-ignore: decorator
@inline
function readNull(at: usize): usize {
  return json.isNull(at) ? at + 4 : 0;
}

// @ts-ignore: decorator
@inline
function isNumber(at: usize): bool {
  const byte: u32 = load<u8>(at);
  return byte - 0x30 < 10 || byte == 0x2d;
}

function readMessage(at: usize): usize {
  if (load<u8>(at) != json.QUOTE) return 0;
  const end = json.skipString(at + 1);
  messageBytes = end - at;
  if (end == 0 || messageBytes > MAX_MESSAGE_BYTES) return 0;
  store<u32>(columns.messageStarts + (row << 2), <u32>(at + 1 + shift));
  store<u32>(columns.messageEnds + (row << 2), <u32>(end - 1 + shift));
  return end;
}

function readNumber(key: i32, at: usize): usize {
  const end = json.skipNumber(at);
  if (end == 0) return 0;
  const value = json.numberValue(at, end);
  if (key == keys.KEY_LATENCY) {
    if (!(value >= 0 && value <= MAX_LATENCY_MS)) return 0;
    store<f64>(columns.latencies + (row << 3), value);
  } else if (value >= 1 && value <= MAX_WEIGHT) store<f64>(columns.weights + (row << 3), value);
  return end;
}

function readMetadata(at: usize): usize {
  let p = json.skipSpace(at + 1);
  if (load<u8>(p) == json.CLOSE_BRACE) return p + 1;
  let place = 0;
  while (true) {
    const key = keys.readKey(p, place++, true);
    if (key < 0) return 0;
    p = key == keys.KEY_OTHER ? json.skipValue(keys.valueStart, MAX_DEPTH) : readField(key, keys.valueStart);
    if (p == 0) return 0;
    p = json.skipSpace(p);
    const byte: u32 = load<u8>(p);
    if (byte == json.CLOSE_BRACE) return p + 1;
    if (byte != json.COMMA) return 0;
    p = json.skipSpace(p + 1);
  }
}

/** Takes the escape-free string in [start, end) for a known key; false when the plain rules have to judge it. */
function takeString(key: i32, start: usize, end: usize): bool {
  const length = end - start;
  switch (key) {
    case keys.KEY_TIMESTAMP: {
      const ms = readTime(start, end);
      store<f64>(columns.timestamps + (row << 3), ms);
      return ms <= latestMs && ms >= earliestMs;
    }
    case keys.KEY_SERVICE:
      setService(start, end);
      return length != 0 && length <= MAX_SERVICE_BYTES;
    case keys.KEY_LEVEL: {
      const level = codeOfLevel(start, end);
      store<u8>(columns.levels + row, <u8>level);
      return level > 0;
    }
    case keys.KEY_TRACE:
      return takeId(columns.traceHashes, start, end);
    case keys.KEY_SPAN:
      return takeId(columns.spanHashes, start, end);
    case keys.KEY_PARENT:
      return takeId(columns.parentHashes, start, end);
    case keys.KEY_KIND: {
      const kind = codeOfWord(KINDS, start, end);
      store<u8>(columns.kinds + row, <u8>kind);
      return kind >= 0;
    }
    case keys.KEY_ENDPOINT:
      endpointStart = start;
      endpointEnd = end;
      return length <= MAX_ENDPOINT_BYTES;
    default:
      return takeAlias(key, start, end);
  }
}

// @ts-ignore: decorator
@inline
function takeId(column: usize, start: usize, end: usize): bool {
  if (end != start) store<u64>(column + (row << 3), idHash(start, end));
  return end - start <= MAX_ID_BYTES;
}

/** Keys of which several mean the same: the first of its group with a text counts, wherever it stands. */
function takeAlias(key: i32, start: usize, end: usize): bool {
  if (key < keys.KEY_VERSIONS) return key == keys.KEY_WEIGHT;
  if (key < keys.KEY_ENVIRONMENTS) {
    if (end != start && key < versionKey) {
      versionKey = key;
      versionStart = start;
      versionEnd = end;
    }
    return true;
  }
  if (end - start > MAX_ID_BYTES) return false;
  if (key < keys.KEY_NAMESPACES) setEnvironment(key, start, end);
  else setNamespace(key, start, end);
  return true;
}
