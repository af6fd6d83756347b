import type { HeliosError } from '../../lib/errors.ts';
import type { PendingAppend } from './pending-append.ts';
import type { QueuedRecord } from './partition-queue.ts';
import type { OutgoingRecord } from './produce-link.ts';
import { HEAD_BYTES, PART_BYTES } from './record-codec.ts';
import { splitRecord } from './record-split.ts';
import { segmentHeaders, type LinesHead, type Segment } from './segment.ts';
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
  readonly firstReceivedMs: number;
  readonly #partition: number;
  readonly #pool: SlabPool;
  readonly #onSettled: (bytes: number) => void;
  readonly #head: LinesHead;
  readonly #segments: Segment[] = [];
  #slab: Buffer;
  #end = 0;
  #count = 0;
  /** At most this many parts are named in the headers. */
  #parts = 0;

  /** `onSettled` is told how many bytes of lines wait no longer. */
  constructor(
    target: { partition: number; pool: SlabPool; onSettled: (bytes: number) => void },
    first: { clientId: string; receivedAtMs: number; expectedBytes: number },
  ) {
    this.#partition = target.partition;
    this.#pool = target.pool;
    this.#onSettled = target.onSettled;
    const { clientId, receivedAtMs } = first;
    this.#head = { clientId, receivedAtMs, minTimestampMs: Infinity, maxTimestampMs: -Infinity };
    this.firstReceivedMs = receivedAtMs;
    this.#slab = target.pool.take(first.expectedBytes);
  }

  get bytes(): number {
    return this.#end + headBytes(this.#parts);
  }

  get events(): number {
    return this.#count;
  }

  get slab(): Buffer {
    return this.#slab;
  }

  /** Makes room for a part's lines, which the caller writes into `slab` from the returned index on. */
  reserve(part: GatheredPart, append: PendingAppend): number {
    const at = this.#end;
    const { keyHash, chunk, events, bytes } = part;
    if (at + bytes > this.#slab.length) this.#grow(at + bytes);
    this.#end += bytes;
    this.#count += events;
    const head = this.#head;
    if (part.minTimestampMs < head.minTimestampMs) head.minTimestampMs = part.minTimestampMs;
    if (part.maxTimestampMs > head.maxTimestampMs) head.maxTimestampMs = part.maxTimestampMs;
    if (part.receivedAtMs > head.receivedAtMs) head.receivedAtMs = part.receivedAtMs;
    if (keyHash !== '' || this.#segments.at(-1)?.keyHash !== '') this.#parts++;
    this.#segments.push({ keyHash, chunk, events, bytes, owner: append, part: append.addPart() });
    return at;
  }

  encode(): OutgoingRecord {
    const headers = segmentHeaders(this.#segments, this.#head);
    return { value: this.#slab.subarray(0, this.#end), headers };
  }

  acknowledged(offset: number): void {
    this.#release();
    for (const { owner, part } of this.#segments) owner.acknowledge(part, this.#partition, offset);
  }

  refused(error: HeliosError): void {
    this.#release();
    for (const { owner } of this.#segments) owner.refuse(error);
  }

  split(): QueuedRecord[] | null {
    const value = this.#slab.subarray(0, this.#end);
    const [partition, segments, head] = [this.#partition, this.#segments, this.#head];
    return splitRecord({ partition, value, segments, head, onEnd: () => this.#release() });
  }

  #release(): void {
    this.#pool.give(this.#slab);
    this.#onSettled(this.#end);
  }

  #grow(bytes: number): void {
    const old = this.#slab;
    this.#slab = this.#pool.take(bytes);
    old.copy(this.#slab, 0, 0, this.#end);
    this.#pool.give(old);
  }
}
