import { assert } from '../../lib/assert.ts';
import type { AppendRecord } from '../event-log.ts';
import { GatheredRecord, headBytes, type GatheredPart } from './gathered-record.ts';
import type { LineSplit } from './line-split.ts';
import { PartitionQueue, type PartitionQueueOptions, type QueuedRecord } from './partition-queue.ts';
import type { PendingAppend } from './pending-append.ts';
import { encodeRecordHeaders, HEAD_BYTES, PART_BYTES } from './record-codec.ts';
import { MAX_CHUNKS } from './record-split.ts';
import type { SlabPool } from './slab-pool.ts';

export interface TopicLaneOptions extends Omit<PartitionQueueOptions, 'partition' | 'maxSendBytes' | 'feed'> {
  partitions: number;
  /** Largest record, headers included. */
  maxRecordBytes: number;
  pool: SlabPool;
  /** Bytes of lines that wait no longer. */
  onSettled: (bytes: number) => void;
  /** Lines have begun to gather: `release` is to be called in a while. */
  onGathering: (partition: LanePartition) => void;
}

/** A client's name takes at most this. */
const CLIENT_BYTES = 128;
/** One record says once when it was received; requests further apart are not put together. */
const MAX_SPREAD_MS = 1000;
const EMPTY = Buffer.alloc(0);

/** One partition of a lane: what gathers for it, and the queue that it goes into. */
export class LanePartition {
  readonly queue: PartitionQueue;
  readonly #options: TopicLaneOptions;
  readonly #partition: number;
  /** By client, oldest first. */
  readonly #gathering = new Map<string, GatheredRecord>();
  /** The time of gathering is over. */
  #isDue = false;
  #lastBytes = 0;
  /** Newest event time that a record for this partition has carried. */
  #newestMs = -Infinity;

  constructor(options: TopicLaneOptions, partition: number) {
    this.#options = options;
    this.#partition = partition;
    const feed = (roomBytes: number): QueuedRecord | null => this.#feed(roomBytes);
    this.queue = new PartitionQueue({ ...options, partition, maxSendBytes: options.maxRecordBytes, feed });
  }

  get isIdle(): boolean {
    return this.queue.isIdle && this.#gathering.size === 0;
  }

  /** The record that takes this part, with the part counted in. */
  recordFor(clientId: string, part: GatheredPart): GatheredRecord {
    if (part.maxTimestampMs > this.#newestMs) this.#newestMs = part.maxTimestampMs;
    const gathering = this.#gathering.get(clientId);
    if (gathering) {
      const fits = gathering.bytes + part.bytes + PART_BYTES <= this.#options.maxRecordBytes;
      if (fits && part.receivedAtMs - gathering.firstReceivedMs <= MAX_SPREAD_MS) return gathering;
      this.#seal(clientId, gathering);
      this.queue.start();
    }
    return this.#begin(clientId, part);
  }

  /** Gathering is over: what is there goes as soon as the queue is free. */
  release(): void {
    this.#isDue = true;
    this.queue.start();
  }

  /** Tells readers that event time has come to `nowMs`, behind everything that was appended before. */
  announce(nowMs: number, receivedAtMs: number): void {
    if (nowMs <= this.#newestMs) return;
    this.#newestMs = nowMs;
    for (const [clientId, record] of this.#gathering) this.#seal(clientId, record);
    this.queue.push(new Heartbeat(nowMs, receivedAtMs));
    this.queue.start();
  }

  #begin(clientId: string, part: GatheredPart): GatheredRecord {
    const { pool, onSettled, onGathering } = this.#options;
    // Many clients at once must not each take as much as one did alone.
    const expectedBytes = Math.max(part.bytes, this.#lastBytes / (this.#gathering.size + 1));
    const target = { partition: this.#partition, pool, onSettled };
    const record = new GatheredRecord(target, { clientId, receivedAtMs: part.receivedAtMs, expectedBytes });
    this.#gathering.set(clientId, record);
    if (this.#gathering.size === 1) onGathering(this);
    return record;
  }

  #seal(clientId: string, record: GatheredRecord): void {
    this.#lastBytes = record.bytes;
    this.#gathering.delete(clientId);
    this.queue.push(record);
  }

  #feed(roomBytes: number): QueuedRecord | null {
    if (!this.#isDue) return null;
    for (const [clientId, record] of this.#gathering) {
      if (record.bytes > roomBytes) return null;
      this.#lastBytes = record.bytes;
      this.#gathering.delete(clientId);
      return record;
    }
    this.#isDue = false;
    return null;
  }
}

/** A record without events: event time has come to where it says. */
class Heartbeat implements QueuedRecord {
  readonly events = 0;
  readonly bytes = HEAD_BYTES;
  readonly #maxTimestampMs: number;
  readonly #receivedAtMs: number;

  constructor(maxTimestampMs: number, receivedAtMs: number) {
    this.#maxTimestampMs = maxTimestampMs;
    this.#receivedAtMs = receivedAtMs;
  }

  encode(): ReturnType<QueuedRecord['encode']> {
    const [maxTimestampMs, receivedAtMs] = [this.#maxTimestampMs, this.#receivedAtMs];
    const head = { clientId: '', receivedAtMs, count: 0, minTimestampMs: maxTimestampMs, maxTimestampMs };
    return { value: EMPTY, headers: encodeRecordHeaders(head) };
  }

  acknowledged(): void {}

  refused(): void {}

  split(): null {
    return null;
  }
}

/** Splits records over the partitions of one topic. Copies each line once, together with its neighbours of the same partition. */
export class TopicLane {
  readonly topic: string;
  readonly partitions: readonly LanePartition[];
  readonly #maxPartBytes: number;
  // Of the record at hand, by partition.
  readonly #bytes: Float64Array;
  readonly #counts: Uint32Array;
  readonly #minMs: Float64Array;
  readonly #maxMs: Float64Array;
  readonly #cursors: Float64Array;
  readonly #slabs: Buffer[];
  readonly #touched: number[] = [];

  constructor(options: TopicLaneOptions) {
    const { topic, partitions } = options;
    this.topic = topic;
    this.partitions = Array.from({ length: partitions }, (_, partition) => new LanePartition(options, partition));
    this.#maxPartBytes = options.maxRecordBytes - headBytes(1) - CLIENT_BYTES;
    this.#bytes = new Float64Array(partitions);
    this.#counts = new Uint32Array(partitions);
    this.#minMs = new Float64Array(partitions);
    this.#maxMs = new Float64Array(partitions);
    this.#cursors = new Float64Array(partitions);
    this.#slabs = Array.from({ length: partitions }, () => EMPTY);
  }

  /** Copies what belongs to this topic; returns how many bytes that was. */
  add(record: AppendRecord, split: LineSplit, append: PendingAppend): number {
    this.#measure(record, split);
    let total = 0;
    const large: number[] = [];
    for (const partition of this.#touched) {
      const bytes = this.#bytes[partition] as number;
      total += bytes;
      this.#cursors[partition] = 0;
      if (bytes > this.#maxPartBytes) {
        large.push(partition);
        this.#slabs[partition] = Buffer.allocUnsafeSlow(bytes);
      } else {
        const target = this.#target(record, partition, append, { bytes, events: this.#counts[partition] as number, chunk: 0 });
        this.#slabs[partition] = target.slab;
        this.#cursors[partition] = target.at;
      }
    }
    this.#copy(record, split);
    for (const partition of large) this.#addChunks(record, split, partition, append);
    for (const partition of this.#touched) this.#slabs[partition] = EMPTY;
    return total;
  }

  /** Bytes, events and times by partition. */
  #measure(record: AppendRecord, { count, length, partition, timestamp }: LineSplit): void {
    this.#touched.length = 0;
    this.#counts.fill(0);
    for (let i = 0; i < count; i++) {
      const p = partition[i] as number;
      if (p < 0) continue;
      const first = timestamp ? (timestamp[i] as number) : record.minTimestampMs;
      const last = timestamp ? first : record.maxTimestampMs;
      if (this.#counts[p] === 0) {
        this.#touched.push(p);
        this.#bytes[p] = 0;
        this.#minMs[p] = first;
        this.#maxMs[p] = last;
      }
      (this.#counts[p] as number)++;
      (this.#bytes[p] as number) += (length[i] as number) + 1;
      if (first < (this.#minMs[p] as number)) this.#minMs[p] = first;
      if (last > (this.#maxMs[p] as number)) this.#maxMs[p] = last;
    }
  }

  #target(
    record: AppendRecord,
    partition: number,
    append: PendingAppend,
    piece: Pick<GatheredPart, 'bytes' | 'events' | 'chunk'>,
  ): { slab: Buffer; at: number } {
    const part: GatheredPart = {
      ...piece,
      keyHash: record.idempotency?.keyHash ?? '',
      minTimestampMs: this.#minMs[partition] as number,
      maxTimestampMs: this.#maxMs[partition] as number,
      receivedAtMs: record.receivedAtMs,
    };
    const target = (this.partitions[partition] as LanePartition).recordFor(record.clientId, part);
    const at = target.reserve(part, append);
    return { slab: target.slab, at };
  }

  #copy({ bytes }: AppendRecord, { count, length, partition }: LineSplit): void {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let run = -1;
    let start = 0;
    let end = 0;
    for (let i = 0; i < count; i++) {
      const p = partition[i] as number;
      if (p !== run) {
        if (run >= 0) this.#copyRun(source, run, start, end);
        run = p;
        start = end;
      }
      end += (length[i] as number) + 1;
    }
    if (run >= 0) this.#copyRun(source, run, start, end);
    assert(end === bytes.length, 'the columns of a record are those of its lines');
  }

  #copyRun(source: Buffer, partition: number, start: number, end: number): void {
    const at = this.#cursors[partition] as number;
    source.copy(this.#slabs[partition] as Buffer, at, start, end);
    this.#cursors[partition] = at + end - start;
  }

  /**
   * A part that is larger than a record goes into several, cut where the next line would be too much: the same request is always cut
   * in the same places. A line that is too large alone is left to the broker to judge.
   */
  #addChunks(record: AppendRecord, { count, length, partition }: LineSplit, p: number, append: PendingAppend): void {
    const source = this.#slabs[p] as Buffer;
    let chunk = 0;
    let [start, end, events] = [0, 0, 0];
    const close = (): void => {
      assert(chunk < MAX_CHUNKS, `a request has at most ${MAX_CHUNKS} chunks in a partition`);
      const target = this.#target(record, p, append, { bytes: end - start, events, chunk: chunk++ });
      source.copy(target.slab, target.at, start, end);
      start = end;
      events = 0;
    };
    for (let i = 0; i < count; i++) {
      if (partition[i] !== p) continue;
      const bytes = (length[i] as number) + 1;
      if (events > 0 && end - start + bytes > this.#maxPartBytes) close();
      end += bytes;
      events++;
    }
    close();
  }
}
