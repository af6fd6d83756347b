import { isoTime } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { MAX_METADATA_DEPTH } from '../../model/event.ts';
import { ByteWriter } from '../byte-writer.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import { ProtobufReader } from '../protobuf-reader.ts';

/** Fields of helios.v1.Event. */
const TIMESTAMP = 1;
const SERVICE = 2;
const LEVEL = 3;
const MESSAGE = 4;
const METADATA = 5;
const LATENCY_MS = 6;
const ENDPOINT = 7;
const TRACE_ID = 8;
const SPAN_ID = 9;
const PARENT_SPAN_ID = 10;
const LAST_FIELD = PARENT_SPAN_ID;

/** Tags: field number times 8 plus wire type. */
const BYTES = 2;
const EVENTS_TAG = 10;
const KEY_TAG = 18;
const LATENCY_TAG = LATENCY_MS * 8 + 1;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const NAMES: readonly (readonly [field: number, prefix: Uint8Array])[] = [
  [SERVICE, ascii(',"service":')],
  [LEVEL, ascii(',"level":')],
];
const ID_NAMES: readonly (readonly [field: number, prefix: Uint8Array])[] = [
  [TRACE_ID, ascii(',"trace_id":')],
  [SPAN_ID, ascii(',"span_id":')],
  [PARENT_SPAN_ID, ascii(',"parent_span_id":')],
];
const TIMESTAMP_PREFIX = ascii(',"timestamp":');
const MESSAGE_PREFIX = ascii(',"message":');
const METADATA_PREFIX = ascii(',"metadata":');
const LATENCY_PREFIX = ascii(',"latency_ms":');
const ENDPOINT_PREFIX = ascii(',"endpoint":');
const LATENCY_KEY = ascii('latency_ms');
const ENDPOINT_KEY = ascii('endpoint');
const END = ascii('}\n');
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const BILLION = 1_000_000_000;
const TWO_32 = 2 ** 32;
/** Seconds that a count of nanoseconds in 64 bits reaches: the year 2554. */
const MAX_UNIX_SECONDS = 18_446_744_073;
const MAX_DATE_SECONDS = 8.64e12;
/** One level more than an event may have, so that the rules see what is too deep; what lies below is left out. */
const MAX_WRITTEN_DEPTH = MAX_METADATA_DEPTH + 2;

export interface TranscodeLimits {
  maxEvents: number;
  /** Accounts for the text as it grows. */
  memory: MemoryAccount;
}

export interface TranscodedEvents {
  /** One line an event, in their order, also for those that break a rule: the scanner judges them. */
  ndjson: Uint8Array;
  count: number;
  /** "" when there is none. */
  idempotencyKey: string;
}

/**
 * helios.v1.PublishRequest to canonical NDJSON: from bytes to bytes, no object per event. Reused from request to request.
 * Throws `invalid_body` for what is not that message, `too_large` for too many events, and what `reserve` throws.
 */
export class EventTranscoder {
  readonly #reader = new ProtobufReader();
  readonly #writer = new ByteWriter();
  /** Where each field of the event lies, by number; start -1: absent. */
  readonly #start = new Int32Array(LAST_FIELD + 1);
  readonly #end = new Int32Array(LAST_FIELD + 1);
  /** More occurrences of `metadata`, start and end in turn: protobuf merges them. */
  #moreMetadata: number[] = [];
  #seconds = 0;
  #nanos = 0;

  transcode(body: Uint8Array, { maxEvents, memory }: TranscodeLimits): TranscodedEvents {
    const reader = this.#reader;
    const writer = this.#writer;
    reader.begin(body, 'PublishRequest');
    writer.reset(memory);
    try {
      return this.#events(body, maxEvents);
    } finally {
      reader.end();
      writer.reset();
    }
  }

  #events(body: Uint8Array, maxEvents: number): TranscodedEvents {
    const reader = this.#reader;
    let count = 0;
    let idempotencyKey = '';
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === EVENTS_TAG) {
        if (++count > maxEvents) throw tooMany(maxEvents);
        const outer = reader.enter();
        this.#event();
        reader.leave(outer);
      } else if (tag === KEY_TAG) {
        const end = reader.range();
        idempotencyKey = Buffer.from(body.buffer, body.byteOffset + reader.position, end - reader.position).toString('utf8');
        reader.position = end;
      } else reader.skip(tag);
    }
    return { ndjson: this.#writer.take(), count, idempotencyKey };
  }

  #event(): void {
    this.#locate();
    const writer = this.#writer;
    const from = writer.length;
    if (this.#has(TIMESTAMP)) {
      writer.raw(TIMESTAMP_PREFIX);
      this.#timestamp();
    }
    for (const [field, prefix] of NAMES) this.#optionalString(field, prefix);
    writer.raw(MESSAGE_PREFIX);
    if (this.#has(MESSAGE)) this.#string(MESSAGE);
    else writer.text('');
    this.#metadata();
    for (const [field, prefix] of ID_NAMES) this.#optionalString(field, prefix);
    writer.raw(END);
    // Every member was written with a comma before it.
    writer.bytes[from] = OPEN_BRACE;
  }

  /** Finds the fields of the event that the reader is in; of one that occurs again the last counts. */
  #locate(): void {
    const reader = this.#reader;
    this.#start.fill(-1);
    this.#seconds = this.#nanos = 0;
    if (this.#moreMetadata.length > 0) this.#moreMetadata = [];
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      const field = tag >>> 3;
      if (tag === LATENCY_TAG) {
        this.#start[LATENCY_MS] = reader.position;
        reader.skip(tag);
      } else if (field <= LAST_FIELD && field !== LATENCY_MS && (tag & 7) === BYTES) {
        const end = reader.range();
        if (field === TIMESTAMP) this.#readTimestamp(end);
        else if (field === METADATA && this.#has(METADATA)) {
          this.#moreMetadata.push(reader.position, end);
          reader.position = end;
          continue;
        }
        this.#start[field] = reader.position;
        this.#end[field] = end;
        reader.position = end;
      } else reader.skip(tag);
    }
  }

  #has(field: number): boolean {
    return (this.#start[field] as number) >= 0;
  }

  #string(field: number): void {
    this.#writer.string(this.#reader.bytes, this.#start[field] as number, this.#end[field] as number);
  }

  /** The empty string is how protobuf says that there is none. */
  #optionalString(field: number, prefix: Uint8Array): void {
    if (!this.#has(field) || this.#start[field] === this.#end[field]) return;
    this.#writer.raw(prefix);
    this.#string(field);
  }

  /** google.protobuf.Timestamp: int64 seconds = 1, int32 nanos = 2. */
  #readTimestamp(end: number): void {
    const reader = this.#reader;
    const { limit } = reader;
    reader.limit = end;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 8) {
        reader.varint();
        this.#seconds = (reader.high | 0) * TWO_32 + reader.low;
      } else if (tag === 16) this.#nanos = reader.int32();
      else reader.skip(tag);
    }
    reader.limit = limit;
  }

  #timestamp(): void {
    const seconds = this.#seconds;
    const nanos = this.#nanos;
    if (nanos < 0 || nanos >= BILLION) this.#writer.text('nanos are not from 0 to 999999999');
    else if (seconds >= 0 && seconds < MAX_UNIX_SECONDS) {
      const low = (Math.imul(seconds, BILLION) + nanos) >>> 0;
      // The sum is rounded to about a thousand, the low half is exact: their difference is a multiple of 2^32, nearly.
      this.#writer.timestamp(low, Math.round((seconds * BILLION + nanos - low) / TWO_32));
    } else if (Math.abs(seconds) > MAX_DATE_SECONDS) this.#writer.text('no time');
    else {
      const micros = String(Math.floor(nanos / 1000)).padStart(6, '0');
      this.#writer.text(isoTime(seconds * 1000).replace('.000Z', `.${micros}Z`));
    }
  }

  /** The struct's members, but those that have a field of their own which is set; then these. */
  #metadata(): void {
    const writer = this.#writer;
    const from = writer.length;
    writer.raw(METADATA_PREFIX);
    const open = writer.length;
    if (this.#has(METADATA)) {
      this.#members(this.#start[METADATA] as number, this.#end[METADATA] as number, 1);
      for (let i = 0; i < this.#moreMetadata.length; i += 2) {
        this.#members(this.#moreMetadata[i] as number, this.#moreMetadata[i + 1] as number, 1);
      }
    }
    if (this.#has(LATENCY_MS)) {
      writer.raw(LATENCY_PREFIX);
      this.#reader.position = this.#start[LATENCY_MS] as number;
      writer.double(this.#reader.double());
    }
    this.#optionalString(ENDPOINT, ENDPOINT_PREFIX);
    if (writer.length === open) {
      writer.length = from;
      return;
    }
    writer.bytes[open] = OPEN_BRACE;
    writer.byte(CLOSE_BRACE);
  }

  /** Members of a google.protobuf.Struct (map<string, Value> fields = 1), a comma before each. */
  #members(start: number, end: number, depth: number): void {
    const reader = this.#reader;
    const { limit, position } = reader;
    reader.position = start;
    reader.limit = end;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) {
        const outer = reader.enter();
        this.#member(depth);
        reader.leave(outer);
      } else reader.skip(tag);
    }
    reader.position = position;
    reader.limit = limit;
  }

  /** One entry of the map: string key = 1, Value value = 2. */
  #member(depth: number): void {
    const reader = this.#reader;
    let keyStart = 0;
    let keyEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) {
        keyEnd = reader.range();
        keyStart = reader.position;
        reader.position = keyEnd;
      } else if (tag === 18) {
        valueEnd = reader.range();
        valueStart = reader.position;
        reader.position = valueEnd;
      } else reader.skip(tag);
    }
    if (depth === 1 && this.#isOverridden(keyStart, keyEnd)) return;
    this.#writer.byte(0x2c);
    this.#writer.string(reader.bytes, keyStart, keyEnd);
    this.#writer.byte(0x3a);
    this.#value(valueStart, valueEnd, depth);
  }

  #isOverridden(start: number, end: number): boolean {
    if (end - start === LATENCY_KEY.length && this.#has(LATENCY_MS)) return this.#isKey(LATENCY_KEY, start);
    if (end - start !== ENDPOINT_KEY.length || !this.#has(ENDPOINT)) return false;
    return this.#start[ENDPOINT] !== this.#end[ENDPOINT] && this.#isKey(ENDPOINT_KEY, start);
  }

  #isKey(key: Uint8Array, start: number): boolean {
    const { bytes } = this.#reader;
    for (let i = 0; i < key.length; i++) if (bytes[start + i] !== key[i]) return false;
    return true;
  }

  /** google.protobuf.Value, a oneof of null = 1, number = 2, string = 3, bool = 4, struct = 5, list = 6: the last one counts. */
  #value(start: number, end: number, depth: number): void {
    const reader = this.#reader;
    const { limit, position } = reader;
    reader.position = start;
    reader.limit = end;
    let kind = 0;
    let at = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 8 || tag === 17 || tag === 26 || tag === 32 || tag === 42 || tag === 50) {
        kind = tag;
        at = reader.position;
      }
      reader.skip(tag);
    }
    reader.position = at;
    this.#written(kind, depth);
    reader.position = position;
    reader.limit = limit;
  }

  #written(tag: number, depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    if (tag === 26) {
      const end = reader.range();
      writer.string(reader.bytes, reader.position, end);
    } else if (tag === 17) writer.double(reader.double());
    else if (tag === 32) writer.raw(reader.varint() === 0 ? FALSE : TRUE);
    else if (tag === 42 || tag === 50) this.#container(tag === 50, depth + 1);
    else writer.raw(NULL);
  }

  #container(isList: boolean, depth: number): void {
    const reader = this.#reader;
    const writer = this.#writer;
    const end = reader.range();
    const from = writer.length;
    if (depth <= MAX_WRITTEN_DEPTH) {
      if (isList) this.#items(reader.position, end, depth);
      else this.#members(reader.position, end, depth);
    }
    if (writer.length === from) writer.byte(0);
    writer.bytes[from] = isList ? 0x5b : OPEN_BRACE;
    writer.byte(isList ? 0x5d : CLOSE_BRACE);
  }

  /** Items of a google.protobuf.ListValue (repeated Value values = 1), a comma before each. */
  #items(start: number, end: number, depth: number): void {
    const reader = this.#reader;
    reader.position = start;
    reader.limit = end;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === 10) {
        const itemEnd = reader.range();
        this.#writer.byte(0x2c);
        this.#value(reader.position, itemEnd, depth);
        reader.position = itemEnd;
      } else reader.skip(tag);
    }
  }
}

const TRUE = ascii('true');
const FALSE = ascii('false');
const NULL = ascii('null');

function tooMany(maxEvents: number): HeliosError {
  return new HeliosError('too_large', `cannot take the request: it has more than ${maxEvents} events`, {
    details: { limitEvents: maxEvents },
  });
}
