import type { EventBatch } from '../model/event-batch.ts';

/**
 * The event log: every accepted event, in the order it was committed, durable before it is acknowledged.
 * One record is one request's (or one coalesced batch's) events as NDJSON. Offsets are per partition, start at 0 and grow
 * by one a record; the embedded log has the one partition 0.
 */
export interface Position {
  partition: number;
  offset: number;
}

export interface Idempotency {
  /** First 128 bits of SHA-256 over (client id, key), as 32 hex digits. */
  keyHash: string;
  /** First 64 bits of SHA-256 over the body, as 16 hex digits. */
  bodyHash: string;
  /** The first answer's body beyond `{"accepted":count}`, kept for replays; "" when there is nothing to add. */
  answer: string;
}

export interface AppendRecord {
  /** Canonical NDJSON, one event a line, newline after each. Not to be changed until the append has settled. */
  bytes: Uint8Array;
  /** Number of events (lines). */
  count: number;
  /** Smallest and largest event timestamp, milliseconds since the epoch. */
  minTimestampMs: number;
  maxTimestampMs: number;
  /** Wall clock at arrival, milliseconds since the epoch. */
  receivedAtMs: number;
  /** The API key's id, or "" when no keys are configured. At most 128 bytes. */
  clientId: string;
  idempotency?: Idempotency;
  /**
   * The same events as columns, in the order of `bytes`; `bytes` of its own. A log of several partitions tells by them where each
   * event belongs. To be read during the call of `append` only.
   */
  batch?: EventBatch;
}

export interface LogRecord extends Omit<AppendRecord, 'idempotency' | 'batch'> {
  position: Position;
  /** Of which requests it consists, where a request may come twice and has to be recognised; in the order of `bytes`. */
  parts?: readonly RecordPart[];
  /** What the detector of another partition tells that of this one; such a record has no events, and is no heartbeat. */
  partial?: Uint8Array;
}

/** What one request, or a piece of it, put into a record. The pair of hash and chunk comes twice only when the request does. */
export interface RecordPart {
  /** `keyHash` of its Idempotency-Key, or "" for a request without. */
  keyHash: string;
  /** Number of the piece, from 0, among those of the same request in the same partition. */
  chunk: number;
  events: number;
  bytes: number;
}

export interface KnownRequest {
  bodyHash: string;
  count: number;
  answer: string;
}

/** What is wrong inside the log: named at open, set aside, everything else served. */
export interface Damage {
  file: string;
  fromByte: number;
  toByte: number;
  reason: string;
}

export interface LogStatus {
  /** First offset still kept, and the next to be written. */
  firstOffset: number;
  nextOffset: number;
  /** Of all segments; zeros that the newest one has ahead of its records do not count. */
  bytes: number;
  segments: number;
  sealedSegments: number;
  damages: Damage[];
}

export interface RetentionLimits {
  /** Milliseconds; Infinity for none. Judged by the newest event time of a segment. */
  maxAgeMs: number;
  /** Bytes on disk; Infinity for none. */
  maxBytes: number;
}

/** What logs differ in, as data. */
export interface LogSupport {
  /**
   * A record is read back as the one that it was appended as, in partition 0, and its offset is its number. Otherwise its events are
   * spread over partitions and put together with those of other records; what is promised then is each event once, those of one
   * entity (that is in one partition) and client in order, and `committedOffset` counts the appends that this process knows to be durable.
   */
  wholeRecords: boolean;
  /** `acknowledge` and `retain` have a say in what is kept; otherwise the log's own configuration decides and they do nothing. */
  retention: boolean;
}

/**
 * Writer side, one per data directory or process.
 * Ordering: records of one partition are read in the order in which their appends were called.
 * Delivery: an append that resolved is on disk (or on every in-sync replica) and is read exactly once per reader position.
 */
export interface EventLog extends AsyncDisposable {
  readonly supports: LogSupport;
  /**
   * Resolves once the record is durable, to where it begins. Rejects with `disk_full`, `overloaded` or `log_unavailable`; the log goes
   * on taking appends. After a rejection nothing of the record is ever read where records are kept whole; elsewhere its events may
   * still come.
   */
  append(record: AppendRecord): Promise<Position>;
  /** The durable request with this key hash, when it is younger than the idempotency window. */
  findRequest(keyHash: string): KnownRequest | undefined;
  /** Next offset after the last durable record. */
  committedOffset(): number;
  /** Calls `listener` after every commit with the next offset; returns a function that ends it. */
  onCommit(listener: (nextOffset: number) => void): () => void;
  /** A named reader has durably processed everything below `nextOffset`; retention never passes the slowest reader. */
  acknowledge(reader: string, nextOffset: number): void;
  /** Frees whole segments that are past a limit and read by every reader; resolves to the number of bytes freed. */
  retain(limits: RetentionLimits, nowMs: number): Promise<number>;
  status(): LogStatus;
}

/**
 * Reader side; cheap to open, in any thread. Not safe to share between threads.
 * Reads raw and sealed segments alike.
 */
export interface LogReader extends AsyncDisposable {
  /**
   * Records in [position, committedOffset), at least one and up to about `maxBytes`, in order; null when there is none yet.
   * Skips quarantined ranges. The bytes are valid until the next call.
   */
  read(committedOffset: number, maxBytes: number): Promise<LogRecord[] | null>;
  /** Moves to `offset`, or to the first kept offset when retention has passed it; returns where it stands. */
  seek(offset: number): number;
}
