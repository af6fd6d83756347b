import { isUtf8 } from 'node:buffer';
import type { EventBatch } from './event-batch.ts';
import { MAX_EVENT_BYTES, MIN_EVENT_BYTES } from './event.ts';
import type { EventReader } from './event-reader.ts';
import { judgeEvent, MAX_ENDPOINT_BYTES } from './event-rules.ts';
import type { EventRow } from './event-rules.ts';
import { hashId } from './id-hash.ts';
import * as json from './json-bytes.ts';
import { findMessage } from './message-range.ts';
import { MAX_LISTED_REJECTIONS } from './scanner.ts';
import type { BodyForm, Rejection, Scanner, ScanLimits, ScanResult } from './scanner.ts';

const NOT_JSON = 'is not valid JSON';
const NOT_UTF8 = 'is not valid UTF-8';
const TOO_LONG = `is longer than ${MAX_EVENT_BYTES} bytes`;
/**
 * JSON that nests less is checked without JSON.parse, which takes ten microseconds to throw: a body of millions of broken
 * lines would stop the thread for minutes.
 */
const CHECKED_DEPTH = 128;

/** Splits bodies into events: the usual ones are left to a reader, all others judged by `judgeEvent`. */
export class BodyScanner implements Scanner {
  readonly #batch: EventBatch;
  readonly #reader: EventReader;
  #limits: ScanLimits = { latestMs: Infinity, earliestMs: -Infinity };
  #rejections: Rejection[] = [];
  #rejectedCount = 0;
  #nextNewline = -1;
  readonly #message = { start: 0, end: 0 };

  constructor(reader: EventReader) {
    this.#batch = reader.batch;
    this.#reader = reader;
  }

  scan(body: Uint8Array, limits: ScanLimits): ScanResult {
    this.#batch.count = 0;
    this.#batch.bytes = body;
    this.#limits = limits;
    this.#rejections = [];
    this.#rejectedCount = 0;
    this.#nextNewline = -1;
    this.#reader.begin(body, limits);
    const start = json.skipSpace(body, 0, json.IS_SPACE);
    const utf8 = isUtf8(body);
    let form: BodyForm = 'ndjson';
    let syntaxError: string | undefined;
    if (start >= body.length) syntaxError = 'is empty';
    else if (body[start] === json.OPEN_BRACKET) {
      form = 'array';
      syntaxError = utf8 ? this.#array(body, start) : NOT_UTF8;
    } else {
      const linesRead = utf8 ? this.#reader.readLines(start) : start;
      if (this.#batch.count === 1 && linesRead >= body.length) form = 'object';
      else if (this.#batch.count > 0) this.#lines(body, linesRead, utf8);
      else if (utf8 && this.#object(body, start)) form = 'object';
      else if (isOneLine(body, start)) {
        form = 'object';
        syntaxError = utf8 ? NOT_JSON : NOT_UTF8;
      } else this.#lines(body, start, utf8);
    }
    if (syntaxError !== undefined) this.#batch.count = 0;
    return {
      form,
      batch: this.#batch,
      rejections: this.#rejections,
      rejectedCount: this.#rejectedCount,
      ...(syntaxError !== undefined && { syntaxError }),
    };
  }

  #lines(body: Uint8Array, start: number, utf8: boolean): void {
    let p = json.skipSpace(body, start, json.IS_SPACE);
    while (p < body.length) {
      const newline = body.indexOf(json.NEWLINE, p);
      const lineEnd = newline < 0 ? body.length : newline;
      this.#slowLine(body, p, lineEnd, utf8);
      p = utf8 ? this.#reader.readLines(lineEnd + 1) : json.skipSpace(body, lineEnd + 1, json.IS_SPACE);
    }
  }

  #slowLine(body: Uint8Array, start: number, lineEnd: number, utf8: boolean): void {
    let end = lineEnd;
    while (end > start && json.IS_LINE_SPACE[body[end - 1] as number] === 1) end--;
    if (this.#isUnlisted(end - start)) {
      this.#rejectedCount++;
      return;
    }
    if (!utf8 && !isUtf8(body.subarray(start, end))) {
      this.#reject('', NOT_UTF8);
      return;
    }
    this.#slow(body, start, end, true);
  }

  /** Reads the body as one object, which may span lines; false when it is not one, and nothing was read. */
  #object(body: Uint8Array, start: number): boolean {
    const readEnd = this.#reader.readEvent(start);
    const end = readEnd < 0 ? json.valueExtent(body, start) : readEnd;
    if (end < 0 || json.skipSpace(body, end, json.IS_SPACE) < body.length) {
      this.#batch.count = 0;
      return false;
    }
    if (readEnd < 0 && !this.#slow(body, start, end, false)) return false;
    this.#flatten(body, start, end);
    return true;
  }

  #array(body: Uint8Array, start: number): string | undefined {
    let p = json.skipSpace(body, start + 1, json.IS_SPACE);
    if (body[p] === json.CLOSE_BRACKET) return this.#atEnd(body, p + 1);
    for (;;) {
      p = this.#reader.readElements(p);
      let end = this.#reader.readEvent(p);
      if (end < 0) {
        end = json.valueExtent(body, p);
        if (end < 0 || !this.#slow(body, p, end, false)) return NOT_JSON;
      }
      this.#flatten(body, p, end);
      p = json.skipSpace(body, end, json.IS_SPACE);
      if (body[p] === json.CLOSE_BRACKET) return this.#atEnd(body, p + 1);
      if (body[p] !== json.COMMA) return NOT_JSON;
      p = json.skipSpace(body, p + 1, json.IS_SPACE);
    }
  }

  #atEnd(body: Uint8Array, at: number): string | undefined {
    return json.skipSpace(body, at, json.IS_SPACE) >= body.length ? undefined : NOT_JSON;
  }

  /** A raw newline inside a valid event can only be white space between tokens. */
  #flatten(body: Uint8Array, start: number, end: number): void {
    for (;;) {
      if (this.#nextNewline < start) {
        const found = body.indexOf(json.NEWLINE, start);
        this.#nextNewline = found < 0 ? Infinity : found;
      }
      if (this.#nextNewline >= end) return;
      body[this.#nextNewline] = 0x20;
      this.#nextNewline = -1;
    }
  }

  /** Whether something of this length is rejected for certain, and its reason not asked for. */
  #isUnlisted(length: number): boolean {
    return length < MIN_EVENT_BYTES && this.#rejections.length >= MAX_LISTED_REJECTIONS;
  }

  /** Judges one event by the plain rules; false when it is not JSON and the caller has to say so for the whole body. */
  #slow(body: Uint8Array, start: number, end: number, judgeSyntax: boolean): boolean {
    if (end - start > MAX_EVENT_BYTES) {
      this.#reject('', TOO_LONG);
      return true;
    }
    const checkedEnd = json.skipValue(body, start, CHECKED_DEPTH, judgeSyntax ? json.IS_LINE_SPACE : json.IS_SPACE);
    if (checkedEnd !== end && end - start <= CHECKED_DEPTH) {
      if (judgeSyntax) this.#reject('', NOT_JSON);
      return judgeSyntax;
    }
    if (this.#isUnlisted(end - start)) {
      this.#rejectedCount++;
      return true;
    }
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(body.buffer, body.byteOffset + start, end - start).toString('utf8'));
    } catch {
      if (judgeSyntax) this.#reject('', NOT_JSON);
      return judgeSyntax;
    }
    const verdict = judgeEvent(value, this.#limits);
    if ('reason' in verdict) this.#reject(verdict.field, verdict.reason);
    else this.#write(verdict, start, end);
    return true;
  }

  #reject(field: string, reason: string): void {
    if (this.#rejections.length < MAX_LISTED_REJECTIONS) {
      this.#rejections.push({ index: this.#batch.count + this.#rejectedCount, field, reason });
    }
    this.#rejectedCount++;
  }

  #write(row: EventRow, start: number, end: number): void {
    const batch = this.#batch;
    if (batch.count === batch.timestamp.length) this.#reader.grow();
    const i = batch.count++;
    const { endpoints, entities, versions } = batch.names;
    batch.timestamp[i] = row.timestamp;
    batch.latency[i] = row.latency;
    batch.weight[i] = row.weight;
    batch.kind[i] = row.kind;
    batch.level[i] = row.level;
    batch.entity[i] = entities.internString(row.entity);
    const longEndpoint = Buffer.byteLength(row.endpoint) > MAX_ENDPOINT_BYTES;
    batch.endpoint[i] = longEndpoint ? endpoints.otherId : endpoints.internString(row.endpoint);
    batch.version[i] = versions.internString(row.version);
    writeHash(batch.traceHash, i, row.traceId);
    writeHash(batch.spanHash, i, row.spanId);
    writeHash(batch.parentHash, i, row.parentSpanId);
    batch.offset[i] = start;
    batch.length[i] = end - start;
    findMessage(batch.bytes, start, end - start, this.#message);
    batch.messageStart[i] = this.#message.start;
    batch.messageEnd[i] = this.#message.end;
  }
}

function isOneLine(body: Uint8Array, start: number): boolean {
  const newline = body.indexOf(json.NEWLINE, start);
  return newline < 0 || json.skipSpace(body, newline, json.IS_SPACE) >= body.length;
}

function writeHash(column: Uint32Array, row: number, id: string): void {
  column[2 * row] = column[2 * row + 1] = 0;
  if (id === '') return;
  const bytes = Buffer.from(id);
  hashId(bytes, 0, bytes.length, column, 2 * row);
}
