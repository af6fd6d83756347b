import { KINDS } from '../../model/event.ts';
import * as json from '../../model/json-bytes.ts';
import { KeySequence } from '../../model/key-sequence.ts';
import { MetadataMembers } from './metadata-members.ts';

/** By key. What is set aside is in the columns already. */
const CODES = {
  timestamp: 1,
  service: 2,
  level: 4,
  message: 8,
  metadata: 16,
  trace_id: 32,
  span_id: 64,
  parent_span_id: 128,
  kind: 256,
} as const;
const LETTER_U = 0x75;
const KIND_BYTES = KINDS.map((kind) => Buffer.from(kind));

/** Where a string's content or an object lies; start is -1 when there is none. */
export interface FieldRange {
  start: number;
  end: number;
  /** Has a backslash. */
  escaped: boolean;
}

const noRange = (): FieldRange => ({ start: -1, end: -1, escaped: false });

/**
 * Finds what a row takes from an event's JSON in one pass over its top-level keys. Answers false for what is better left to JSON.parse
 * and the plain rules: unknown or repeated keys, escapes in keys, and metadata with escapes by number or numbers with exponents, of
 * which PostgreSQL refuses some.
 */
export class EventRanges {
  readonly message = noRange();
  /** What is to be stored of metadata; no pieces where there is none, or nothing but what columns hold. */
  readonly metadata = new MetadataMembers();
  readonly traceId = noRange();
  readonly spanId = noRange();
  readonly parentSpanId = noRange();
  readonly #keys = new KeySequence(CODES);
  /** What the value looked at last holds. */
  #escaped = false;
  #odd = false;
  #columns = 0;

  /**
   * `bytes[offset, offset + length)` is a valid JSON object, `kind` the code of the event's kind, `columns` which members of metadata
   * have their value in a column (metadata-members.ts).
   */
  find(bytes: Uint8Array, offset: number, length: number, kind: number, columns: number): boolean {
    this.#reset();
    this.#columns = columns;
    const limit = offset + length;
    let p = json.skipSpace(bytes, offset + 1, json.IS_SPACE);
    for (let place = 0, seen = 0; p < limit; place++) {
      const code = this.#keys.read(bytes, p, place, json.IS_SPACE);
      if (code <= 0 || (seen & code) !== 0) return false;
      seen |= code;
      const start = this.#keys.value;
      const end = this.#skip(bytes, start, limit);
      if (code >= CODES.message && !this.#take(bytes, code, start, end, kind)) return false;
      p = json.skipSpace(bytes, end, json.IS_SPACE);
      if (bytes[p] !== json.COMMA) return bytes[p] === json.CLOSE_BRACE;
      p = json.skipSpace(bytes, p + 1, json.IS_SPACE);
    }
    return false;
  }

  #reset(): void {
    this.metadata.pieces.length = 0;
    this.message.start = this.traceId.start = this.spanId.start = this.parentSpanId.start = -1;
  }

  #take(bytes: Uint8Array, code: number, start: number, end: number, kind: number): boolean {
    switch (code) {
      case CODES.message:
        return this.#takeText(this.message, bytes, start, end);
      case CODES.trace_id:
        return this.#takeText(this.traceId, bytes, start, end);
      case CODES.span_id:
        return this.#takeText(this.spanId, bytes, start, end);
      case CODES.parent_span_id:
        return this.#takeText(this.parentSpanId, bytes, start, end);
      case CODES.metadata:
        return this.#takeObject(bytes, start, end);
      default:
        // Another value is no kind, but metadata.
        return isText(bytes, start, end, KIND_BYTES[kind] as Uint8Array);
    }
  }

  #takeText(range: FieldRange, bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes[start] !== json.QUOTE) return true;
    range.start = start + 1;
    range.end = end - 1;
    range.escaped = this.#escaped;
    return true;
  }

  #takeObject(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#odd) return false;
    if (bytes[start] !== json.OPEN_BRACE) return true;
    return this.metadata.find(bytes, start, this.#columns, (at) => this.#skip(bytes, at, end));
  }

  /** Index after the value at `at`. */
  #skip(bytes: Uint8Array, at: number, limit: number): number {
    this.#escaped = this.#odd = false;
    if (bytes[at] === json.QUOTE) return this.#skipText(bytes, at + 1);
    let depth = 0;
    for (let p = at; p < limit; p++) {
      const byte = bytes[p] as number;
      if (byte === json.QUOTE) p = this.#skipText(bytes, p + 1) - 1;
      else if (byte === json.OPEN_BRACE || byte === json.OPEN_BRACKET) depth++;
      else if (byte === json.CLOSE_BRACE || byte === json.CLOSE_BRACKET) {
        if (depth <= 1) return depth === 0 ? p : p + 1;
        depth--;
      } else if (byte === json.COMMA && depth === 0) return p;
      else if ((byte | 0x20) === 0x65 && json.IS_DIGIT[bytes[p - 1] as number] === 1) this.#odd = true;
    }
    return limit;
  }

  /** Index after the closing quote of the string whose content starts at `at`. */
  #skipText(bytes: Uint8Array, at: number): number {
    let p = at;
    for (let byte = bytes[p] as number; byte !== json.QUOTE; byte = bytes[p] as number) {
      if (byte !== json.BACKSLASH) {
        p++;
        continue;
      }
      this.#escaped = true;
      if (bytes[p + 1] === LETTER_U) this.#odd = true;
      p += 2;
    }
    return p + 1;
  }
}

function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length + 2) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + 1 + i] !== text[i]) return false;
  return true;
}
