import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COMMA, IS_SPACE, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';

/** Where a message lies: the raw JSON string without its quotes, escapes not decoded. */
export interface MessageRange {
  start: number;
  end: number;
}

const decoder = new TextDecoder();
const KEY = Uint8Array.from('message', (char) => char.charCodeAt(0));

/**
 * Finds the top-level "message" of the event in `bytes[offset, offset + length)`, which must be a valid JSON object; of
 * duplicate keys the last counts, as in JSON.parse. Writes `range` and answers true when it is a string. Makes no objects.
 */
export function findMessage(bytes: Uint8Array, offset: number, length: number, range: MessageRange): boolean {
  const limit = offset + length;
  let found = false;
  let p = bytes.indexOf(OPEN_BRACE, offset) + 1;
  for (;;) {
    while (p < limit && bytes[p] !== QUOTE) p++;
    if (p >= limit) return found;
    const keyEnd = skipText(bytes, p + 1);
    const isMessage = keyIsMessage(bytes, p + 1, keyEnd - 1);
    // Between key and value stand white space and one colon; no value begins with either.
    p = keyEnd;
    while (bytes[p] === 0x3a || IS_SPACE[bytes[p] as number] === 1) p++;
    const valueStart = p;
    p = skipAny(bytes, p, limit);
    if (!isMessage) continue;
    found = bytes[valueStart] === QUOTE;
    range.start = valueStart + 1;
    range.end = p - 1;
  }
}

/** Index after the closing quote of the string whose content starts at `at`. */
function skipText(bytes: Uint8Array, at: number): number {
  let p = at;
  for (let byte = bytes[p]; byte !== QUOTE && byte !== undefined; byte = bytes[p]) p += byte === BACKSLASH ? 2 : 1;
  return p + 1;
}

/** Index after the value at `at`: containers by counting brackets outside strings, scalars up to what ends them. */
function skipAny(bytes: Uint8Array, at: number, limit: number): number {
  let depth = 0;
  let p = at;
  while (p < limit) {
    const byte = bytes[p] as number;
    if (byte === QUOTE) {
      p = skipText(bytes, p + 1);
      if (depth === 0) return p;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth <= 1) return depth === 0 ? p : p + 1;
      depth--;
    } else if (byte === COMMA && depth === 0) return p;
    p++;
  }
  return p;
}

function keyIsMessage(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start === KEY.length) {
    for (let i = 0; i < KEY.length; i++) if (bytes[start + i] !== KEY[i]) return false;
    return true;
  }
  // An escaped spelling of the key is longer than the plain one.
  if (end - start < KEY.length || !bytes.subarray(start, end).includes(BACKSLASH)) return false;
  return JSON.parse(`"${decoder.decode(bytes.subarray(start, end))}"`) === 'message';
}
