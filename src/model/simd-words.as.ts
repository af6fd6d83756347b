// The words that the event rules know, taught by JavaScript: names of keys, kinds and levels. A word is at most 31 bytes.
import { areEqual, shortWord } from './simd-bytes.as.ts';
import { WORDS } from './simd-layout.as.ts';

export const KEYS: u32 = 0;
export const KINDS: u32 = 1;
export const LEVELS: u32 = 2;

/** A list: the number of its words, then for each its length, code, and bytes from WORD_TEXT on, zeros after them. */
const LIST_BYTES: usize = 0x1000;
const FIRST_WORD: usize = 64;
const WORD_BYTES: usize = 64;
const WORD_TEXT: usize = 16;
const MAX_WORD_BYTES: usize = 31;

/** Bit n: a key of n bytes is known. */
let keyLengths: u32 = 0;

// @ts-ignore: decorator
@inline
function firstWord(list: u32): usize {
  return WORDS + <usize>list * LIST_BYTES + FIRST_WORD;
}

// @ts-ignore: decorator
@inline
function endOfWords(list: u32): usize {
  return firstWord(list) + <usize>load<u32>(WORDS + <usize>list * LIST_BYTES) * WORD_BYTES;
}

/** Where JavaScript writes the text of the word that it adds next. */
export function nextWord(list: u32): usize {
  return endOfWords(list) + WORD_TEXT;
}

export function addWord(list: u32, length: u32, code: i32): void {
  const word = endOfWords(list);
  store<u32>(word, length);
  store<i32>(word, code, 4);
  const count = WORDS + <usize>list * LIST_BYTES;
  store<u32>(count, load<u32>(count) + 1);
  if (list == KEYS) keyLengths |= 1 << length;
}

/** Code of the word in [at, end), or -1. */
export function codeOfWord(list: u32, at: usize, end: usize): i32 {
  const length = end - at;
  if (length > MAX_WORD_BYTES || (list == KEYS && ((keyLengths >> <u32>length) & 1) == 0)) return -1;
  const last = endOfWords(list);
  for (let word = firstWord(list); word < last; word += WORD_BYTES) {
    if (load<u32>(word) == <u32>length && areEqual(word + WORD_TEXT, at, length)) return load<i32>(word, 4);
  }
  return -1;
}

/** Code of the level in [at, end), upper or lower case, or -1. No byte but a letter becomes one when bit 5 is taken away. */
export function codeOfLevel(at: usize, end: usize): i32 {
  const length = end - at;
  if (length > 8) return -1;
  const text = shortWord(at, length) & 0xdfdfdfdfdfdfdfdf;
  const last = endOfWords(LEVELS);
  for (let word = firstWord(LEVELS); word < last; word += WORD_BYTES) {
    if (load<u64>(word, WORD_TEXT) == text && load<u32>(word) == <u32>length) return load<i32>(word, 4);
  }
  return -1;
}
