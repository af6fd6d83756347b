import { NameTable } from './name-table.ts';

/** The interned names that a scanner's batches refer to; they live as long as the scanner. */
export interface Names {
  entities: NameTable;
  endpoints: NameTable;
  versions: NameTable;
}

export function createNames(capacity: { entities?: number; endpoints?: number; versions?: number } = {}): Names {
  return {
    entities: new NameTable(capacity.entities ?? 10_000),
    endpoints: new NameTable(capacity.endpoints ?? 50_000),
    versions: new NameTable(capacity.versions ?? 50_000),
  };
}

/**
 * The currency inside: columns, not objects. Row i of every column is one accepted event; rows 0..count-1 are valid.
 * `bytes[offset[i], offset[i] + length[i])` is that event as one complete JSON object without a raw newline.
 * A scanner reuses its batch: whoever keeps one beyond the call copies it.
 */
export interface EventBatch {
  count: number;
  /** Milliseconds since the Unix epoch; the fraction holds microseconds. */
  timestamp: Float64Array;
  /** Milliseconds; NaN when the event has no latency. */
  latency: Float64Array;
  /** How many events a row stands for (sampling): 1 or more, with a fraction. */
  weight: Float64Array;
  kind: Uint8Array;
  level: Uint8Array;
  /** Ids in `names.entities`; never 0. */
  entity: Uint32Array;
  /** Ids in `names.endpoints`; 0 when the event has none. */
  endpoint: Uint32Array;
  /** Ids in `names.versions`; 0 when the event has none. */
  version: Uint32Array;
  /** 64-bit hashes of the ids as two 32-bit halves at 2i and 2i+1; both 0 when absent. */
  traceHash: Uint32Array;
  spanHash: Uint32Array;
  parentHash: Uint32Array;
  offset: Uint32Array;
  length: Uint32Array;
  /** `bytes[messageStart[i], messageEnd[i])` is the message as raw JSON string content: no quotes, escapes not decoded. */
  messageStart: Uint32Array;
  messageEnd: Uint32Array;
  bytes: Uint8Array;
  names: Names;
}

/** The columns alone. */
export type EventColumns = Omit<EventBatch, 'count' | 'bytes' | 'names'>;

/** What a row takes in all columns. */
export const ROW_BYTES = 78;

/** Columns of `capacity` rows in `ROW_BYTES * capacity` bytes of a buffer from `at` on, one after the other, widest first. */
export function layColumns(buffer: ArrayBuffer, at: number, capacity: number): EventColumns {
  let end = at;
  const place = (bytesPerRow: number): number => {
    end += bytesPerRow * capacity;
    return end - bytesPerRow * capacity;
  };
  return {
    timestamp: new Float64Array(buffer, place(8), capacity),
    latency: new Float64Array(buffer, place(8), capacity),
    weight: new Float64Array(buffer, place(8), capacity),
    entity: new Uint32Array(buffer, place(4), capacity),
    endpoint: new Uint32Array(buffer, place(4), capacity),
    version: new Uint32Array(buffer, place(4), capacity),
    traceHash: new Uint32Array(buffer, place(8), 2 * capacity),
    spanHash: new Uint32Array(buffer, place(8), 2 * capacity),
    parentHash: new Uint32Array(buffer, place(8), 2 * capacity),
    offset: new Uint32Array(buffer, place(4), capacity),
    length: new Uint32Array(buffer, place(4), capacity),
    messageStart: new Uint32Array(buffer, place(4), capacity),
    messageEnd: new Uint32Array(buffer, place(4), capacity),
    kind: new Uint8Array(buffer, place(1), capacity),
    level: new Uint8Array(buffer, place(1), capacity),
  };
}

/** Takes over the rows of shorter columns, last column first: the two may lie in one buffer and overlap. */
export function moveColumns(to: EventColumns, from: EventColumns): void {
  for (const name of (Object.keys(from) as (keyof EventColumns)[]).toReversed()) to[name].set(from[name]);
}

export function createEventBatch(names: Names, capacity = 1024): EventBatch {
  const columns = layColumns(new ArrayBuffer(ROW_BYTES * capacity), 0, capacity);
  columns.weight.fill(1);
  return { count: 0, bytes: new Uint8Array(0), names, ...columns };
}

/** Doubles every column, keeping the rows. */
export function growEventBatch(batch: EventBatch): void {
  const { count: _count, bytes: _bytes, names: _names, ...old } = batch;
  const columns = layColumns(new ArrayBuffer(2 * ROW_BYTES * old.timestamp.length), 0, 2 * old.timestamp.length);
  columns.weight.fill(1, old.weight.length);
  moveColumns(columns, old);
  Object.assign(batch, columns);
}

/** The events of a batch as one NDJSON buffer, newline after each; the batch's own bytes when they are that already. */
export function toNdjson(batch: EventBatch): Uint8Array {
  let size = 0;
  for (let i = 0; i < batch.count; i++) size += (batch.length[i] as number) + 1;
  // One byte between events can only be the newline of NDJSON, and an array has one byte more.
  if (size === batch.bytes.length && batch.bytes[size - 1] === 10) return batch.bytes;
  const out = Buffer.allocUnsafeSlow(size);
  let position = 0;
  for (let i = 0; i < batch.count; i++) {
    const start = batch.offset[i] as number;
    const length = batch.length[i] as number;
    out.set(batch.bytes.subarray(start, start + length), position);
    position += length;
    out[position++] = 10;
  }
  return out;
}
