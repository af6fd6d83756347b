import type { AppendRecord, Idempotency, Position } from '../event-log.ts';
import { frameHeadBytes, numberFrame, writeFrame } from './frame.ts';

/** Frames gathered in one piece of memory, which is written by one call. */
const SLAB_BYTES = 4 * 1024 * 1024;
/** Payloads above this are written from where they are. */
const COPY_BYTES = 256 * 1024;

/** What the idempotency index is told of a record once it is durable. */
export interface KeyedRecord {
  key: Idempotency;
  count: number;
  receivedAtMs: number;
}

/**
 * Records on their way to one commit. Payloads are copied when they are added, next to their heads: the bodies of requests then
 * die young, whatever the disk takes, and the memory here is used again by the next commit but one.
 */
export class FrameBatch {
  readonly #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #end = 0;
  /** Where each frame begins in the slab, and its number of events. */
  readonly #starts: number[] = [];
  readonly #counts: number[] = [];
  /** What was completed before a payload that is not in the slab, and these payloads. */
  readonly #pieces: Uint8Array[] = [];
  #pieceStart = 0;
  readonly #resolve: ((position: Position) => void)[] = [];
  readonly #reject: ((error: Error) => void)[] = [];
  readonly keys: KeyedRecord[] = [];
  /** Bytes of all frames, and of their payloads. */
  bytes = 0;
  payloadBytes = 0;
  events = 0;
  maxTimestampMs = -Infinity;

  /** Number of records. */
  get size(): number {
    return this.#starts.length;
  }

  /** Whether a record of `headBytes` and `payloadBytes` can still be added; to an empty batch every record can. */
  hasRoom(headBytes: number, payloadBytes: number): boolean {
    const copied = headBytes + (payloadBytes <= COPY_BYTES ? payloadBytes : 0);
    return this.#end + copied <= SLAB_BYTES && (this.size === 0 || this.bytes + headBytes + payloadBytes <= SLAB_BYTES);
  }

  /** Resolves to where the record stands when `resolve` is called. */
  add(record: AppendRecord): Promise<Position> {
    const isCopied = record.bytes.length <= COPY_BYTES;
    const end = writeFrame(this.#slab, this.#end, record, isCopied);
    const headBytes = frameHeadBytes(record);
    this.#starts.push(this.#end);
    this.#counts.push(record.count);
    if (!isCopied) {
      this.#pieces.push(this.#slab.subarray(this.#pieceStart, end), record.bytes);
      this.#pieceStart = end;
    }
    this.#end = end;
    this.bytes += headBytes + record.bytes.length;
    this.payloadBytes += record.bytes.length;
    this.events += record.count;
    this.maxTimestampMs = Math.max(this.maxTimestampMs, record.maxTimestampMs);
    const { idempotency: key, count, receivedAtMs } = record;
    if (key) this.keys.push({ key, count, receivedAtMs });
    return new Promise((resolve, reject) => {
      this.#resolve.push(resolve);
      this.#reject.push(reject);
    });
  }

  /** Gives the frames their places, the first one `firstOffset` and `firstEvent`; returns what is to be written, in order. */
  number(firstOffset: number, firstEvent: number): readonly Uint8Array[] {
    let event = firstEvent;
    for (let i = 0; i < this.#starts.length; i++) {
      const place = { offset: firstOffset + i, firstEvent: event, commitIndex: i };
      numberFrame(this.#slab, this.#starts[i] as number, place);
      event += this.#counts[i] as number;
    }
    const rest = this.#slab.subarray(this.#pieceStart, this.#end);
    return rest.length > 0 ? [...this.#pieces, rest] : this.#pieces;
  }

  resolve(firstOffset: number): void {
    for (let i = 0; i < this.#resolve.length; i++) {
      (this.#resolve[i] as (position: Position) => void)({ partition: 0, offset: firstOffset + i });
    }
  }

  reject(error: Error): void {
    for (const reject of this.#reject) reject(error);
  }

  /** Empties the batch for the next use. */
  reset(): void {
    for (const list of [this.#starts, this.#counts, this.#pieces, this.#resolve, this.#reject, this.keys]) list.length = 0;
    this.#end = this.#pieceStart = 0;
    this.bytes = this.payloadBytes = this.events = 0;
    this.maxTimestampMs = -Infinity;
  }
}
