// Names that JavaScript has given an id, found again without asking it. Ids come from JavaScript alone (name-table.ts); what
// does not fit any more is asked for every time.
import { areEqual, copyBytes, shortWord } from './simd-bytes.as.ts';
import { intern } from './simd-imports.as.ts';
import { NAME_BYTES, NAME_BYTES_END, NAME_SLOT_COUNT, NAME_SLOTS } from './simd-layout.as.ts';

export const ENTITIES: u32 = 0;
export const ENDPOINTS: u32 = 1;
export const VERSIONS: u32 = 2;

/** A slot: hash, id (0: free), address of the bytes, length and table. */
const SLOT_BYTES: usize = 16;
const MAX_NAMES: u32 = NAME_SLOT_COUNT / 2;
const MAX_NAME_BYTES: usize = 512;

let nameCount: u32 = 0;
let nextName: usize = NAME_BYTES;
/** Where `findName` would put what it has not found. */
let freeSlot: usize = 0;
let wantedHash: u32 = 0;

function hashOf(table: u32, at: usize, length: usize): u32 {
  let hash: u64 = 0x9e3779b97f4a7c15 ^ (<u64>length | (<u64>table << 32));
  for (let i: usize = 0; i < length; i += 8) {
    hash = (hash ^ shortWord(at + i, length - i)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return <u32>(hash >> 16);
}

/** Id of a known name, or 0. */
export function findName(table: u32, at: usize, length: usize): i32 {
  const hash = hashOf(table, at, length);
  const header = <u32>length | (table << 16);
  let index = hash & (NAME_SLOT_COUNT - 1);
  wantedHash = hash;
  while (true) {
    const slot = NAME_SLOTS + <usize>index * SLOT_BYTES;
    const id = load<i32>(slot, 4);
    if (id == 0) {
      freeSlot = slot;
      return 0;
    }
    if (load<u32>(slot) == hash && load<u32>(slot, 12) == header && areEqual(load<u32>(slot, 8), at, length)) return id;
    index = (index + 1) & (NAME_SLOT_COUNT - 1);
  }
}

/** Id that JavaScript gives the name that `findName` has just not found; remembers it while there is room. */
export function askName(table: u32, at: usize, length: usize): i32 {
  const id = intern(table, at, <i32>length);
  if (id < 0) return -id;
  if (nameCount < MAX_NAMES && nextName + length + 16 <= NAME_BYTES_END) {
    copyBytes(nextName, at, length);
    store<u32>(freeSlot, wantedHash);
    store<i32>(freeSlot, id, 4);
    store<u32>(freeSlot, <u32>nextName, 8);
    store<u32>(freeSlot, <u32>length | (table << 16), 12);
    nextName += length;
    nameCount++;
  }
  return id;
}

/** Id of an endpoint or version; 0 for the empty one. */
export function nameId(table: u32, at: usize, end: usize): i32 {
  const length = end - at;
  if (length == 0) return 0;
  if (length > MAX_NAME_BYTES) return abs(intern(table, at, <i32>length));
  const id = findName(table, at, length);
  return id != 0 ? id : askName(table, at, length);
}
