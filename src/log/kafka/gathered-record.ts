import type { HeliosError } from '../../lib/errors.ts';
import type { RecordPart } from '../event-log.ts';
import type { PendingAppend } from './pending-append.ts';
import type { QueuedRecord } from './partition-queue.ts';
import type { OutgoingRecord } from './produce-link.ts';
import { encodeRecordHeaders, HEAD_BYTES, PART_BYTES } from './record-codec.ts';
import { splitLines } from './record-split.ts';
import type { SlabPool } from './slab-pool.ts';

/** What an append puts into one record. */
export interface GatheredPart {
  keyHash: string;
  chunk: number;
  events: number;
  bytes: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  receivedAtMs: number;
}

/** Room that the headers of a record of this many parts take. */
export function headBytes(parts: number): number {
  return HEAD_BYTES + parts * PART_BYTES;
}

/**
 * The record that gathers one client's lines for one partition. Lines are copied into it, so that the bodies that they came in
 * are free at once, however long the broker takes.
 */
export class GatheredRecord implements QueuedRecord {
  readonly clientId: string;
  readonly firstReceivedMs: number;
  readonly #partition: number;
  readonly #pool: SlabPool;
  readonly #onSettled: (bytes: number) => void;
  #slab: Buffer;
  #end = 0;
  #count = 0;
  #minTimestampMs = Infinity;
  #maxTimestampMs = -Infinity;
  #receivedAtMs: number;
  readonly #parts: RecordPart[] = [];
  #hasKeys = false;
  readonly #appends: PendingAppend[] = [];
  readonly #numbers: number[] = [];

  /** `onSettled` is told how many bytes of lines wait no longer. */
  constructor(
    target: { partition: number; pool: SlabPool; onSettled: (bytes: number) => void },
    first: { clientId: string; receivedAtMs: number; expectedBytes: number },
  ) {
    this.#partition = target.partition;
    this.#pool = target.pool;
    this.#onSettled = target.onSettled;
    this.clientId = first.clientId;
    this.firstReceivedMs = first.receivedAtMs;
    this.#receivedAtMs = first.receivedAtMs;
    this.#slab = target.pool.take(first.expectedBytes);
  }

  get bytes(): number {
    return this.#end + headBytes(this.#parts.length);
  }

  get events(): number {
    return this.#count;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  get slab(): Buffer {
    return this.#slab;
  }

  /** Makes room for a part's lines, which the caller writes into `slab` from the returned index on. */
  reserve(part: GatheredPart, append: PendingAppend): number {
    const at = this.#end;
    if (at + part.bytes > this.#slab.length) this.#grow(at + part.bytes);
    this.#end += part.bytes;
    this.#count += part.events;
    if (part.minTimestampMs < this.#minTimestampMs) this.#minTimestampMs = part.minTimestampMs;
    if (part.maxTimestampMs > this.#maxTimestampMs) this.#maxTimestampMs = part.maxTimestampMs;
    if (part.receivedAtMs > this.#receivedAtMs) this.#receivedAtMs = part.receivedAtMs;
    this.#addPart(part);
    this.#appends.push(append);
    this.#numbers.push(append.addPart());
    return at;
  }

  encode(): OutgoingRecord {
    const head = {
      clientId: this.clientId,
      receivedAtMs: this.#receivedAtMs,
      count: this.#count,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
      ...(this.#hasKeys ? { parts: this.#parts } : {}),
    };
    const value = this.#slab.subarray(0, this.#end);
    return { value, headers: encodeRecordHeaders(head), timestampMs: this.#receivedAtMs };
  }

  acknowledged(offset: number): void {
    this.#release();
    for (const [i, append] of this.#appends.entries()) append.acknowledge(this.#numbers[i] as number, this.#partition, offset);
  }

  refused(error: HeliosError): void {
    this.#release();
    for (const append of this.#appends) append.refuse(error);
  }

  split(): QueuedRecord[] | null {
    const parts = this.#hasKeys ? this.#parts : [{ keyHash: '', chunk: 0, events: this.#count, bytes: this.#end }];
    const whole = { ...this.encode(), parts, hasKeys: this.#hasKeys };
    const head = {
      clientId: this.clientId,
      receivedAtMs: this.#receivedAtMs,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
    };
    return splitLines(whole, head, this);
  }

  #release(): void {
    this.#pool.give(this.#slab);
    this.#onSettled(this.#end);
  }

  /** Neighbours without a key are one part: nobody has to tell them apart. */
  #addPart({ keyHash, chunk, events, bytes }: GatheredPart): void {
    const last = this.#parts.at(-1);
    if (keyHash === '' && last?.keyHash === '') {
      last.events += events;
      last.bytes += bytes;
      return;
    }
    if (keyHash !== '') this.#hasKeys = true;
    this.#parts.push({ keyHash, chunk, events, bytes });
  }

  #grow(bytes: number): void {
    const old = this.#slab;
    this.#slab = this.#pool.take(bytes);
    old.copy(this.#slab, 0, 0, this.#end);
    this.#pool.give(old);
  }
}
