// Reads the keys of an object. Senders write the same keys in the same order, so the two keys that stood at a place last are
// compared first, quotes and colon included; only when both differ is the key scanned and looked up (as in key-sequence.ts).
import { areEqual, copyBytes, lanesBelow } from './simd-bytes.as.ts';
import { COLON, plainStringEnd, QUOTE, skipSpace } from './simd-json.as.ts';
import { EVENT_KEYS, METADATA_KEYS } from './simd-layout.as.ts';
import { codeOfWord, KEYS } from './simd-words.as.ts';

/** Codes of the keys that matter, in the order in which simd-scanner.ts teaches them. Of several of a group the first counts. */
export const KEY_TIMESTAMP: i32 = 0;
export const KEY_SERVICE: i32 = 1;
export const KEY_LEVEL: i32 = 2;
export const KEY_MESSAGE: i32 = 3;
export const KEY_METADATA: i32 = 4;
export const KEY_TRACE: i32 = 5;
export const KEY_SPAN: i32 = 6;
export const KEY_PARENT: i32 = 7;
export const KEY_KIND: i32 = 8;
/** From here on keys belong into metadata, and count at the top level when metadata has none. */
export const KEY_LATENCY: i32 = 9;
export const KEY_ENDPOINT: i32 = 10;
export const KEY_WEIGHT: i32 = 11;
export const KEY_VERSIONS: i32 = 12;
export const KEY_ENVIRONMENTS: i32 = 15;
export const KEY_NAMESPACES: i32 = 18;
export const KEY_OTHER: i32 = 31;

/** A remembered key: length (0: none), code, its bytes from KEY_TEXT on, and a mask for its first 16. */
const SLOT_BYTES: usize = 96;
/** Two slots for a place, the later key first. */
const PLACE_BYTES: usize = 2 * SLOT_BYTES;
const KEY_TEXT: usize = 16;
const KEY_MASK: usize = 80;
const MAX_KEY_BYTES: usize = 64;
/** Members from here on share the last slot. */
const LAST_PLACE: i32 = 63;

/** Where the value starts after `readKey` has found a key. */
export let valueStart: usize = 0;

/** Code of the key that opens at `at`, the `place`-th of its object; -1 when there is no escape-free key followed by a colon. */
// @ts-ignore: decorator
@inline
export function readKey(at: usize, place: i32, inMetadata: bool): i32 {
  let slot = (inMetadata ? METADATA_KEYS : EVENT_KEYS) + <usize>min(place, LAST_PLACE) * PLACE_BYTES;
  if (!isKey(at, slot)) {
    slot += SLOT_BYTES;
    if (!isKey(at, slot)) return lookUpKey(at, slot - SLOT_BYTES, inMetadata);
  }
  valueStart = skipSpace(at + load<u32>(slot));
  return load<i32>(slot, 4);
}

// @ts-ignore: decorator
@inline
function isKey(at: usize, slot: usize): bool {
  const first = v128.and(v128.xor(v128.load(at), v128.load(slot, KEY_TEXT)), v128.load(slot, KEY_MASK));
  if (v128.any_true(first)) return false;
  const length: usize = load<u32>(slot);
  return length <= 16 ? length != 0 : areEqual(at + 16, slot + KEY_TEXT + 16, length - 16);
}

function lookUpKey(at: usize, slot: usize, inMetadata: bool): i32 {
  if (load<u8>(at) != QUOTE) return -1;
  const end = plainStringEnd(at + 1);
  if (end == 0) return -1;
  const colon = skipSpace(end + 1);
  if (load<u8>(colon) != COLON) return -1;
  valueStart = skipSpace(colon + 1);
  let code = codeOfWord(KEYS, at + 1, end);
  if (code < 0 || (inMetadata && code < KEY_LATENCY)) code = KEY_OTHER;
  const length = colon + 1 - at;
  if (colon == end + 1 && length <= MAX_KEY_BYTES) {
    copyBytes(slot + SLOT_BYTES, slot, SLOT_BYTES);
    store<u32>(slot, <u32>length);
    store<i32>(slot, code, 4);
    v128.store(slot, lanesBelow(min(length, 16)), KEY_MASK);
    copyBytes(slot + KEY_TEXT, at, length);
  }
  return code;
}
