import { MAX_LISTED_REJECTIONS } from '../../model/scanner.ts';
import type { Rejection } from '../../model/scanner.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import type { EventRecord, EventWriter } from './event-writer.ts';

/** What a transcoder makes of a request: an NDJSON line for each record, in order, and what had to be left out at the end. */
export interface EventLines {
  ndjson: Uint8Array;
  /** Lines. */
  count: number;
  rejectedCount: number;
  /** Up to MAX_LISTED_REJECTIONS; `index` counts the request's records from 0. */
  rejections: Rejection[];
}

/**
 * Bytes of a request message to lines, which `memory` accounts for; throws `invalid_body`. `arrivalMs` stands in for a time
 * that a record lacks.
 */
export type EventTranscoder = (body: Uint8Array, arrivalMs: number, memory?: MemoryAccount) => EventLines;

/**
 * A resource's attributes are repeated in each of its records, so that a small request can ask for lines without end. Past
 * this, records are left out with a reason.
 */
const MAX_LINES_BYTES = 64 * 1024 * 1024;
const TOO_MUCH = `the request makes more than ${MAX_LINES_BYTES >> 20} MiB of events; send smaller ones`;

/** Tags of Export*ServiceRequest, Resource* and Scope*, which number their fields alike for logs and spans. */
const RESOURCES = 10;
const RESOURCE = 10;
const SCOPES = 18;
const SCOPE = 10;
const RECORDS = 18;

/** Walks a request for its records. */
export class EventRequest {
  readonly #writer: EventWriter;
  readonly #record: EventRecord;
  readonly #maxBytes: number;
  #count = 0;
  #rejectedCount = 0;
  #rejections: Rejection[] = [];

  constructor(writer: EventWriter, record: EventRecord, maxBytes: number = MAX_LINES_BYTES) {
    this.#writer = writer;
    this.#record = record;
    this.#maxBytes = maxBytes;
  }

  /** `message` is the name that errors carry. */
  read(body: Uint8Array, message: string, memory?: MemoryAccount): EventLines {
    const { reader, out } = this.#writer;
    this.#writer.reset(body, message, memory);
    this.#count = 0;
    this.#rejectedCount = 0;
    this.#rejections = [];
    try {
      this.#each(RESOURCES, () => this.#resource());
      return { ndjson: out.take(), count: this.#count, rejectedCount: this.#rejectedCount, rejections: this.#rejections };
    } finally {
      reader.end();
      out.reset();
    }
  }

  /** Calls `read` inside each field with this tag of the message up to the reader's limit. */
  #each(wanted: number, read: () => void): void {
    const { reader } = this.#writer;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== wanted) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      const end = reader.limit;
      read();
      reader.position = end;
      reader.limit = outer;
    }
  }

  /** Fields may come in any order, so the resource is looked for first. */
  #resource(): void {
    const { reader, head } = this.#writer;
    const start = reader.position;
    head.beginResource();
    this.#each(RESOURCE, () => head.readResource());
    head.endResource();
    reader.position = start;
    this.#each(SCOPES, () => this.#scope());
  }

  #scope(): void {
    const { reader, head } = this.#writer;
    const start = reader.position;
    // The head costs as much as the resource has members: who wants none of it repeated must not pay for empty scopes.
    if (this.#isFull || !this.#hasRecords()) {
      reader.position = start;
      this.#each(RECORDS, () => this.#leaveOut());
      return;
    }
    reader.position = start;
    head.beginScope();
    this.#each(SCOPE, () => head.readScope());
    head.endScope();
    reader.position = start;
    this.#each(RECORDS, () => this.#event());
  }

  get #isFull(): boolean {
    return this.#writer.out.length > this.#maxBytes;
  }

  #hasRecords(): boolean {
    const { reader } = this.#writer;
    let tag = reader.tag();
    for (; tag !== 0 && tag !== RECORDS; tag = reader.tag()) reader.skip(tag);
    return tag !== 0;
  }

  #event(): void {
    if (this.#isFull) {
      this.#leaveOut();
      return;
    }
    this.#record.read();
    this.#writer.event(this.#record);
    this.#count++;
  }

  #leaveOut(): void {
    this.#record.read();
    const index = this.#count + this.#rejectedCount++;
    if (this.#rejections.length < MAX_LISTED_REJECTIONS) this.#rejections.push({ index, field: '', reason: TOO_MUCH });
  }
}
