import { HeliosError } from '../lib/errors.ts';

const WORD = /[\p{L}\p{N}]+/gu;
/** Characters of a word that count, of a report's and of a query's. */
const MAX_WORD_LENGTH = 64;
/** A tsvector takes 1 MiB, of which a word may need four bytes a character. */
const MAX_WORDS_LENGTH = 200_000;
const MAX_SEARCHED_WORDS = 32;

function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(WORD) ?? [];
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD_LENGTH)))];
}

/** What a report is found by: its words in lower case, each once, up to 200,000 characters. */
export function reportWords(markdown: string): string[] {
  let length = 0;
  return wordsOf(markdown).filter((word) => (length += word.length) <= MAX_WORDS_LENGTH);
}

/** Beginnings of words, in lower case, all of which a report has to hold; `invalid_argument` when there is none or are too many. */
export function searchedWords(text: string): string[] {
  const words = wordsOf(text);
  if (words.length > 0 && words.length <= MAX_SEARCHED_WORDS) return words;
  const reason = words.length === 0 ? 'it holds no word' : `it holds more than ${MAX_SEARCHED_WORDS} words`;
  throw new HeliosError('invalid_argument', `cannot search for this text: ${reason}`, { details: { field: 'text' } });
}
