import { growEventBatch } from './event-batch.ts';
import type { EventBatch, Names } from './event-batch.ts';
import {
  KINDS,
  LEVEL_SPELLINGS,
  levelCode,
  MAX_LATENCY_MS,
  MAX_MESSAGE_BYTES,
  MAX_METADATA_DEPTH,
  MAX_SERVICE_BYTES,
} from './event.ts';
import { ENVIRONMENT_KEYS, MAX_ENDPOINT_BYTES, MAX_ID_BYTES, NAMESPACE_KEYS, VERSION_KEYS } from './event-rules.ts';
import type { EventReader } from './event-reader.ts';
import { hashId } from './id-hash.ts';
import * as json from './json-bytes.ts';
import { KeySequence, OTHER_KEY } from './key-sequence.ts';
import { NameTable } from './name-table.ts';
import type { ScanLimits } from './scanner.ts';
import { TimestampBytes } from './timestamp-bytes.ts';

/** Above this much metadata the plain rules count its exact size. */
const MAX_FAST_METADATA_BYTES = 8192;
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, power) => 10 ** power);

const SEEN = {
  timestamp: 1,
  service: 2,
  level: 4,
  message: 8,
  metadata: 16,
  trace: 32,
  span: 64,
  parent: 128,
  kind: 256,
} as const;
const REQUIRED = SEEN.timestamp | SEEN.service | SEEN.level | SEEN.message;
const META = { latency: 1, endpoint: 2, version: 4, environment: 8, namespace: 16, weight: 32 } as const;

const META_CODES: Record<string, number> = {
  latency_ms: META.latency,
  endpoint: META.endpoint,
  adjusted_count: META.weight,
  ...Object.fromEntries(VERSION_KEYS.map((key) => [key, META.version])),
  ...Object.fromEntries(ENVIRONMENT_KEYS.map((key) => [key, META.environment])),
  ...Object.fromEntries(NAMESPACE_KEYS.map((key) => [key, META.namespace])),
};
/** At the top level these change what the event means, in ways that the plain rules sort out. */
const SPECIAL = 512;
const TOP_CODES: Record<string, number> = {
  ...Object.fromEntries(Object.keys(META_CODES).map((key) => [key, SPECIAL])),
  timestamp: SEEN.timestamp,
  service: SEEN.service,
  level: SEEN.level,
  message: SEEN.message,
  metadata: SEEN.metadata,
  trace_id: SEEN.trace,
  span_id: SEEN.span,
  parent_span_id: SEEN.parent,
  kind: SEEN.kind,
};

/** The reader in plain JavaScript. Leaves escapes in what is interned, duplicate keys, odd numbers and odd times to others. */
export class EventFastPath implements EventReader {
  readonly batch: EventBatch;
  readonly grow: () => void;
  readonly #names: Names;
  readonly #topKeys = new KeySequence(TOP_CODES);
  readonly #metaKeys = new KeySequence(META_CODES);
  readonly #timestamps = new TimestampBytes();
  readonly #levelNames = new NameTable(64);
  readonly #kindNames = new NameTable(KINDS.length);
  readonly #levelCodes = new Uint8Array(66);
  readonly #scratch = new Uint8Array(3 * MAX_ID_BYTES + 8);
  readonly #allowedEntities = new WeakMap<object, Set<number>>();
  #body: Uint8Array = new Uint8Array(0);
  #space: Uint8Array = json.IS_LINE_SPACE;
  #limits: ScanLimits = { latestMs: Infinity, earliestMs: -Infinity };
  #row = 0;
  #seen = 0;
  #seenMeta = 0;
  #serviceStart = 0;
  #serviceEnd = 0;
  #endpointStart = 0;
  #endpointEnd = 0;
  #versionStart = 0;
  #versionEnd = 0;
  #environmentStart = 0;
  #environmentEnd = 0;
  #namespaceStart = 0;
  #namespaceEnd = 0;
  #messageBytes = 0;

  constructor(batch: EventBatch, grow = (): void => growEventBatch(batch)) {
    this.grow = grow;
    this.batch = batch;
    this.#names = batch.names;
    for (const kind of KINDS) this.#kindNames.internString(kind);
    // Known before any input, so that a flood of made-up levels cannot crowd them out.
    for (const name of LEVEL_SPELLINGS) {
      this.#levelNames.internString(name);
      this.#levelNames.internString(name.toLowerCase());
    }
  }

  begin(body: Uint8Array, limits: ScanLimits): void {
    this.#body = body;
    this.#limits = limits;
  }

  readLines(at: number): number {
    const body = this.#body;
    this.#space = json.IS_LINE_SPACE;
    for (let p = at; ;) {
      p = json.skipSpace(body, p, json.IS_SPACE);
      if (p >= body.length) return p;
      if (this.batch.count === this.batch.timestamp.length) this.grow();
      const end = this.#read(body, p, this.batch.count);
      if (end < 0) return p;
      const next = json.skipSpace(body, end, json.IS_LINE_SPACE);
      if (next < body.length && body[next] !== json.NEWLINE) return p;
      this.batch.count++;
      p = next + 1;
    }
  }

  readElements(at: number): number {
    return at;
  }

  readEvent(at: number): number {
    this.#space = json.IS_SPACE;
    if (this.batch.count === this.batch.timestamp.length) this.grow();
    const end = this.#read(this.#body, at, this.batch.count);
    if (end >= 0) this.batch.count++;
    return end;
  }

  /** Index after the event that starts at `at`, now in row `row`; or -1, and the row is undefined. */
  #read(bytes: Uint8Array, at: number, row: number): number {
    if (bytes[at] !== json.OPEN_BRACE) return -1;
    this.#reset(row);
    let p = json.skipSpace(bytes, at + 1, this.#space);
    for (let place = 0; ; place++) {
      const code = this.#topKeys.read(bytes, p, place, this.#space);
      p = code < 0 ? -1 : this.#field(code, bytes, this.#topKeys.value);
      if (p < 0) return -1;
      p = json.skipSpace(bytes, p, this.#space);
      if (bytes[p] === json.CLOSE_BRACE) break;
      if (bytes[p] !== json.COMMA) return -1;
      p = json.skipSpace(bytes, p + 1, this.#space);
    }
    p++;
    if ((this.#seen & REQUIRED) !== REQUIRED || p - at - this.#messageBytes > MAX_FAST_METADATA_BYTES) return -1;
    if (!this.#internEntity(bytes)) return -1;
    const { endpoints, versions } = this.#names;
    this.batch.endpoint[row] = endpoints.intern(bytes, this.#endpointStart, this.#endpointEnd);
    this.batch.version[row] = versions.intern(bytes, this.#versionStart, this.#versionEnd);
    this.batch.offset[row] = at;
    this.batch.length[row] = p - at;
    return p;
  }

  #reset(row: number): void {
    const batch = this.batch;
    this.#row = row;
    this.#seen = 0;
    this.#seenMeta = 0;
    this.#endpointStart = this.#endpointEnd = 0;
    this.#versionStart = this.#versionEnd = 0;
    this.#environmentStart = this.#environmentEnd = 0;
    this.#namespaceStart = this.#namespaceEnd = 0;
    batch.latency[row] = NaN;
    batch.weight[row] = 1;
    batch.kind[row] = 0;
    const pair = 2 * row;
    batch.traceHash[pair] = batch.traceHash[pair + 1] = 0;
    batch.spanHash[pair] = batch.spanHash[pair + 1] = 0;
    batch.parentHash[pair] = batch.parentHash[pair + 1] = 0;
  }

  /** Index of the closing quote of the escape-free string that opens at `at`, or -1. */
  #plainString(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== json.QUOTE) return -1;
    let p = at + 1;
    while (json.IS_PLAIN[bytes[p] as number] === 1) p++;
    return bytes[p] === json.QUOTE ? p : -1;
  }

  /** Index after the value at `at` of a top-level key, or -1. */
  #field(code: number, bytes: Uint8Array, at: number): number {
    if (code === OTHER_KEY) return json.skipValue(bytes, at, MAX_METADATA_DEPTH - 1, this.#space);
    if (code === SPECIAL) return -1;
    if ((this.#seen & code) !== 0) return -1;
    this.#seen |= code;
    if (code === SEEN.metadata) return bytes[at] === json.OPEN_BRACE ? this.#metadata(bytes, at) : -1;
    if (code === SEEN.message) {
      const end = bytes[at] === json.QUOTE ? json.skipString(bytes, at + 1) : -1;
      this.#messageBytes = end - at;
      this.batch.messageStart[this.#row] = at + 1;
      this.batch.messageEnd[this.#row] = end - 1;
      return end - at > MAX_MESSAGE_BYTES ? -1 : end;
    }
    const end = this.#plainString(bytes, at);
    if (end < 0 || !this.#stringField(code, bytes, at + 1, end)) return -1;
    return end + 1;
  }

  #stringField(code: number, bytes: Uint8Array, start: number, end: number): boolean {
    const batch = this.batch;
    if (code === SEEN.timestamp) {
      const ms = this.#timestamps.parse(bytes, start, end);
      batch.timestamp[this.#row] = ms;
      return ms <= this.#limits.latestMs && ms >= this.#limits.earliestMs;
    }
    if (code === SEEN.service) {
      this.#serviceStart = start;
      this.#serviceEnd = end;
      return end > start && end - start <= MAX_SERVICE_BYTES;
    }
    if (code === SEEN.level) {
      const level = this.#level(bytes, start, end);
      batch.level[this.#row] = level;
      return level !== 0;
    }
    if (code === SEEN.kind) {
      // An id counts from 1, a code from 0; a kind that is none is metadata, which the plain rules sort out.
      const id = this.#kindNames.find(bytes, start, end);
      batch.kind[this.#row] = id - 1;
      return id !== 0;
    }
    if (end - start > MAX_ID_BYTES) return false;
    const column = code === SEEN.trace ? batch.traceHash : code === SEEN.span ? batch.spanHash : batch.parentHash;
    if (end > start) hashId(bytes, start, end, column, 2 * this.#row);
    return true;
  }

  #level(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > 8) return 0;
    const id = this.#levelNames.intern(bytes, start, end);
    if (id === 0 || id === this.#levelNames.otherId) return 0;
    if (this.#levelCodes[id] === 0) this.#levelCodes[id] = levelCode(this.#levelNames.name(id));
    return this.#levelCodes[id] as number;
  }

  #metadata(bytes: Uint8Array, at: number): number {
    let p = json.skipSpace(bytes, at + 1, this.#space);
    if (bytes[p] === json.CLOSE_BRACE) return p + 1;
    for (let place = 0; ; place++) {
      const code = this.#metaKeys.read(bytes, p, place, this.#space);
      const value = this.#metaKeys.value;
      if (code < 0 || (this.#seenMeta & code) !== 0) return -1;
      if (code === OTHER_KEY) p = json.skipValue(bytes, value, MAX_METADATA_DEPTH - 1, this.#space);
      else p = this.#metadataField(code, bytes, value);
      this.#seenMeta |= code;
      if (p < 0) return -1;
      p = json.skipSpace(bytes, p, this.#space);
      if (bytes[p] === json.CLOSE_BRACE) return p + 1;
      if (bytes[p] !== json.COMMA) return -1;
      p = json.skipSpace(bytes, p + 1, this.#space);
    }
  }

  #metadataField(code: number, bytes: Uint8Array, at: number): number {
    if (code === META.latency) return this.#latency(bytes, at);
    if (code === META.weight) return -1;
    const end = this.#plainString(bytes, at);
    if (end < 0) return -1;
    const start = at + 1;
    if (code === META.endpoint) {
      if (end - start > MAX_ENDPOINT_BYTES) return -1;
      this.#endpointStart = start;
      this.#endpointEnd = end;
    } else if (code === META.version) {
      this.#versionStart = start;
      this.#versionEnd = end;
    } else if (code === META.environment) {
      this.#environmentStart = start;
      this.#environmentEnd = end;
    } else {
      this.#namespaceStart = start;
      this.#namespaceEnd = end;
    }
    return end + 1;
  }

  /** At most 15 digits and no exponent: mantissa and power of ten are exact, so one division rounds as JSON.parse does. */
  #latency(bytes: Uint8Array, at: number): number {
    let p = at;
    let mantissa = 0;
    while (json.IS_DIGIT[bytes[p] as number] === 1) mantissa = mantissa * 10 + (bytes[p++] as number) - 48;
    const wholeDigits = p - at;
    if (wholeDigits === 0 || (bytes[at] === 0x30 && wholeDigits > 1)) return -1;
    let decimals = 0;
    if (bytes[p] === 0x2e) {
      const fraction = ++p;
      while (json.IS_DIGIT[bytes[p] as number] === 1) mantissa = mantissa * 10 + (bytes[p++] as number) - 48;
      decimals = p - fraction;
      if (decimals === 0) return -1;
    }
    if (wholeDigits + decimals > 15 || bytes[p] === 0x65 || bytes[p] === 0x45) return -1;
    const latency = mantissa / (POWERS_OF_TEN[decimals] as number);
    if (latency > MAX_LATENCY_MS) return -1;
    this.batch.latency[this.#row] = latency;
    return p;
  }

  #internEntity(bytes: Uint8Array): boolean {
    const environmentBytes = this.#environmentEnd - this.#environmentStart;
    const namespaceBytes = this.#namespaceEnd - this.#namespaceStart;
    if (environmentBytes === 0 && namespaceBytes === 0) {
      // Empty aliases and slashes change the id's form: rare, so the plain rules decide.
      if ((this.#seenMeta & (META.environment | META.namespace)) !== 0) return false;
      for (let p = this.#serviceStart; p < this.#serviceEnd; p++) if (bytes[p] === json.SLASH) return false;
      return this.#writeEntity(bytes, bytes, this.#serviceStart, this.#serviceEnd);
    }
    if (environmentBytes > MAX_ID_BYTES || namespaceBytes > MAX_ID_BYTES) return false;
    let length = this.#copy(bytes, this.#environmentStart, this.#environmentEnd, 0, true);
    if (length >= 0) length = this.#copy(bytes, this.#namespaceStart, this.#namespaceEnd, length, true);
    if (length < 0) return false;
    length = this.#copy(bytes, this.#serviceStart, this.#serviceEnd, length, false);
    return this.#writeEntity(bytes, this.#scratch, 0, length);
  }

  /** Writes the id of the entity in `id[start, end)`; false, and a new one gets no id, when the sender may not post for it. */
  #writeEntity(bytes: Uint8Array, id: Uint8Array, start: number, end: number): boolean {
    const { entities } = this.#names;
    if (this.#limits.services && !this.#allowed(bytes, entities.find(id, start, end))) return false;
    this.batch.entity[this.#row] = entities.intern(id, start, end);
    return true;
  }

  /** Whether the sender is allowed this row's entity, whose id is 0 when it has none yet; asked once an id and sender. */
  #allowed(bytes: Uint8Array, entity: number): boolean {
    const services = this.#limits.services as NonNullable<ScanLimits['services']>;
    let allowed = this.#allowedEntities.get(services);
    if (!allowed) this.#allowedEntities.set(services, (allowed = new Set()));
    if (allowed.has(entity)) return true;
    const service = Buffer.from(bytes.subarray(this.#serviceStart, this.#serviceEnd)).toString('utf8');
    const isAllowed = services.allows(service);
    if (isAllowed && entity !== 0) allowed.add(entity);
    return isAllowed;
  }

  /** Appends to the scratch; a part is followed by a slash and may not hold one. Returns the new length, or -1. */
  #copy(bytes: Uint8Array, start: number, end: number, to: number, isPart: boolean): number {
    let length = to;
    for (let p = start; p < end; p++) {
      if (isPart && bytes[p] === json.SLASH) return -1;
      this.#scratch[length++] = bytes[p] as number;
    }
    if (isPart) this.#scratch[length++] = json.SLASH;
    return length;
  }
}
