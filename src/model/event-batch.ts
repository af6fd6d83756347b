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

export function createEventBatch(names: Names, capacity = 1024): EventBatch {
  return {
    count: 0,
    timestamp: new Float64Array(capacity),
    latency: new Float64Array(capacity),
    weight: new Float64Array(capacity).fill(1),
    kind: new Uint8Array(capacity),
    level: new Uint8Array(capacity),
    entity: new Uint32Array(capacity),
    endpoint: new Uint32Array(capacity),
    version: new Uint32Array(capacity),
    traceHash: new Uint32Array(2 * capacity),
    spanHash: new Uint32Array(2 * capacity),
    parentHash: new Uint32Array(2 * capacity),
    offset: new Uint32Array(capacity),
    length: new Uint32Array(capacity),
    messageStart: new Uint32Array(capacity),
    messageEnd: new Uint32Array(capacity),
    bytes: new Uint8Array(0),
    names,
  };
}

const COLUMNS = [
  'timestamp',
  'latency',
  'weight',
  'kind',
  'level',
  'entity',
  'endpoint',
  'version',
  'traceHash',
  'spanHash',
  'parentHash',
  'offset',
  'length',
  'messageStart',
  'messageEnd',
] as const;

/** Doubles every column, keeping the rows. */
export function growEventBatch(batch: EventBatch): void {
  for (const column of COLUMNS) {
    const old = batch[column];
    const grown = new (old.constructor as new (length: number) => typeof old)(old.length * 2);
    if (column === 'weight') grown.fill(1);
    grown.set(old);
    Object.assign(batch, { [column]: grown });
  }
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
