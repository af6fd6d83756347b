import * as json from './json-bytes.ts';

/** A key is unlike every one given: its value is only checked. */
export const OTHER_KEY = 0;

interface KnownKey {
  bytes: Uint8Array;
  code: number;
}

/** More members than this are looked up one by one. */
const MAX_REMEMBERED = 64;
/** A longer key is not remembered. */
const MAX_KEY_BYTES = 64;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/**
 * Reads the keys of one kind of object. Senders write the same keys in the same order, so the key that stood at a place
 * last time is compared first, quotes and colon included; only when it differs is the key scanned and looked up.
 */
export class KeySequence {
  readonly #byLength: KnownKey[][] = Array.from({ length: 32 }, () => []);
  readonly #remembered: KnownKey[] = [];
  /** Index of the value's first byte after a successful `read`. */
  value = 0;

  /** Codes of the keys that matter, each at most 31 ASCII characters. */
  constructor(codes: Record<string, number>) {
    for (const [key, code] of Object.entries(codes)) this.#byLength[key.length]?.push({ bytes: bytesOf(key), code });
  }

  /**
   * Code of the key that opens at `at`, the `place`-th of its object, or OTHER_KEY; sets `value`. -1 when there is no
   * escape-free key followed by a colon.
   */
  read(bytes: Uint8Array, at: number, place: number, isSpace: Uint8Array): number {
    const expected = this.#remembered[place];
    if (expected !== undefined) {
      const key = expected.bytes;
      let k = 0;
      while (k < key.length && bytes[at + k] === key[k]) k++;
      if (k === key.length) {
        this.value = json.skipSpace(bytes, at + k, isSpace);
        return expected.code;
      }
    }
    return this.#lookUp(bytes, at, place, isSpace);
  }

  #lookUp(bytes: Uint8Array, at: number, place: number, isSpace: Uint8Array): number {
    if (bytes[at] !== json.QUOTE) return -1;
    let end = at + 1;
    while (json.IS_PLAIN[bytes[end] as number] === 1) end++;
    if (bytes[end] !== json.QUOTE) return -1;
    const colon = json.skipSpace(bytes, end + 1, isSpace);
    if (bytes[colon] !== json.COLON) return -1;
    this.value = json.skipSpace(bytes, colon + 1, isSpace);
    const code = this.#codeOf(bytes, at + 1, end);
    const length = end + 2 - at;
    if (colon === end + 1 && place < MAX_REMEMBERED && place <= this.#remembered.length && length <= MAX_KEY_BYTES) {
      this.#remembered[place] = { bytes: Uint8Array.prototype.slice.call(bytes, at, at + length), code };
    }
    return code;
  }

  #codeOf(bytes: Uint8Array, start: number, end: number): number {
    for (const { bytes: key, code } of this.#byLength[end - start] ?? []) {
      let k = 0;
      while (k < key.length && bytes[start + k] === key[k]) k++;
      if (k === key.length) return code;
    }
    return OTHER_KEY;
  }
}
