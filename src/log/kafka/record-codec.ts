import type { LogRecord, RecordPart } from '../event-log.ts';

/** What a record says of its lines, beside them. */
export type RecordHead = Pick<LogRecord, 'clientId' | 'receivedAtMs' | 'count' | 'minTimestampMs' | 'maxTimestampMs' | 'parts'>;

/** A record as any consumer of the client gives it; keys of headers are text or its bytes. */
export interface ReceivedRecord {
  partition: number;
  offset: bigint;
  value: Uint8Array | null | undefined;
  headers: Iterable<readonly [Uint8Array | string, Uint8Array | null | undefined]>;
}

/** Why a record cannot be read: for the dead-letter topic. */
export interface UnreadableRecord {
  reason: string;
}

export const FORMAT_VERSION = '1';
const PARTIAL_VERSION = '1';
const PARTIAL_HEADER = 'partial';
/** 16 bytes key hash (zeros: none), u16 chunk, u32 events, u32 bytes; big-endian. */
export const PART_BYTES = 26;
const HASH_BYTES = 16;
const NEWLINE = 10;
const NO_KEY = '0'.repeat(2 * HASH_BYTES);
const NO_BYTES = Buffer.alloc(0);

const keyOf = (name: string): Buffer => Buffer.from(name);
const [VERSION, RECEIVED_AT, CLIENT, COUNT, MIN, MAX, PARTS] = [
  keyOf('v'),
  keyOf('received-at'),
  keyOf('client'),
  keyOf('count'),
  keyOf('min-ts'),
  keyOf('max-ts'),
  keyOf('parts'),
];
const VERSION_VALUE = Buffer.from(FORMAT_VERSION);

/** Room that a record's headers take beside its parts and the client's name, generously. */
export const HEAD_BYTES = 256;

function encodeParts(parts: readonly RecordPart[]): Buffer {
  const bytes = Buffer.alloc(parts.length * PART_BYTES);
  for (const [i, { keyHash, chunk, events, bytes: length }] of parts.entries()) {
    const at = i * PART_BYTES;
    bytes.write(keyHash, at, HASH_BYTES, 'hex');
    bytes.writeUInt16BE(chunk, at + HASH_BYTES);
    bytes.writeUInt32BE(events, at + HASH_BYTES + 2);
    bytes.writeUInt32BE(length, at + HASH_BYTES + 6);
  }
  return bytes;
}

/** The headers of a record. A record of no events is a heartbeat: event time has come to `maxTimestampMs`. */
export function encodeRecordHeaders(head: RecordHead): Map<Buffer, Buffer> {
  const headers = new Map<Buffer, Buffer>([
    [VERSION, VERSION_VALUE],
    [RECEIVED_AT, Buffer.from(String(head.receivedAtMs))],
    [CLIENT, Buffer.from(head.clientId)],
    [COUNT, Buffer.from(String(head.count))],
    [MIN, Buffer.from(String(head.minTimestampMs))],
    [MAX, Buffer.from(String(head.maxTimestampMs))],
  ]);
  if (head.parts) headers.set(PARTS, encodeParts(head.parts));
  return headers;
}

/** The headers of a record whose value is what one partition's detector tells another's (LogRecord.partial). */
export function encodePartialHeaders(receivedAtMs: number): Record<string, string> {
  const head = { clientId: '', receivedAtMs, count: 0, minTimestampMs: receivedAtMs, maxTimestampMs: receivedAtMs };
  const headers = [...encodeRecordHeaders(head)].map(([name, value]) => [name.toString(), value.toString()] as const);
  return { ...Object.fromEntries(headers), [PARTIAL_HEADER]: PARTIAL_VERSION };
}

function decodeParts(bytes: Buffer): RecordPart[] {
  return Array.from({ length: bytes.length / PART_BYTES }, (_, i) => {
    const at = i * PART_BYTES;
    const keyHash = bytes.toString('hex', at, at + HASH_BYTES);
    return {
      keyHash: keyHash === NO_KEY ? '' : keyHash,
      chunk: bytes.readUInt16BE(at + HASH_BYTES),
      events: bytes.readUInt32BE(at + HASH_BYTES + 2),
      bytes: bytes.readUInt32BE(at + HASH_BYTES + 6),
    };
  });
}

function checkParts(parts: readonly RecordPart[], count: number, bytes: number): string | null {
  let [events, length] = [0, 0];
  for (const part of parts) {
    events += part.events;
    length += part.bytes;
  }
  if (events !== count) return `its parts hold ${events} events, its header says ${count}`;
  return length === bytes ? null : `its parts hold ${length} bytes, its value ${bytes}`;
}

function textHeaders(headers: ReceivedRecord['headers']): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [key, value] of headers) {
    const name = typeof key === 'string' ? key : Buffer.from(key.buffer, key.byteOffset, key.length).toString();
    found.set(name, value ? Buffer.from(value.buffer, value.byteOffset, value.length) : NO_BYTES);
  }
  return found;
}

/** The number in a header, or NaN. */
function numberIn(headers: Map<string, Buffer>, name: string): number {
  const text = headers.get(name)?.toString() ?? '';
  return text === '' ? NaN : Number(text);
}

/** What is wrong with a record's numbers or bytes, or null. */
function faultOf({ count, receivedAtMs, minTimestampMs, maxTimestampMs }: RecordHead, bytes: Uint8Array): string | null {
  if (!Number.isFinite(receivedAtMs)) return 'its header received-at is not a number';
  if (!Number.isInteger(count) || count < 0) return 'its header count is not a number of events';
  if (!Number.isFinite(maxTimestampMs)) return 'its header max-ts is not a number';
  if (count === 0) return bytes.length === 0 ? null : 'its header count is 0, but it has a value';
  if (!Number.isFinite(minTimestampMs)) return 'its header min-ts is not a number';
  if (bytes.length === 0) return `its header count is ${count}, but it has no value`;
  return bytes.at(-1) === NEWLINE ? null : 'its last line has no end';
}

/** A record of the log, or why it is none; never throws. Its bytes are the received ones, not a copy. */
export function decodeRecord(received: ReceivedRecord): LogRecord | UnreadableRecord {
  const headers = textHeaders(received.headers);
  const version = headers.get('v')?.toString();
  if (version === undefined) return { reason: 'it has no header v: HELIOS did not write it' };
  if (version !== FORMAT_VERSION) return { reason: `its format is version ${version}, this program reads ${FORMAT_VERSION}` };
  const bytes = received.value ?? NO_BYTES;
  const record: LogRecord = {
    position: { partition: received.partition, offset: Number(received.offset) },
    bytes,
    count: numberIn(headers, 'count'),
    minTimestampMs: numberIn(headers, 'min-ts'),
    maxTimestampMs: numberIn(headers, 'max-ts'),
    receivedAtMs: numberIn(headers, 'received-at'),
    clientId: headers.get('client')?.toString() ?? '',
  };
  const partial = headers.get(PARTIAL_HEADER)?.toString();
  if (partial !== undefined && partial !== PARTIAL_VERSION) {
    return { reason: `its partial sums are of version ${partial}, this program reads ${PARTIAL_VERSION}` };
  }
  if (partial !== undefined) {
    record.partial = bytes;
    record.bytes = NO_BYTES;
  }
  const fault = faultOf(record, record.bytes);
  if (fault !== null) return { reason: fault };
  const encoded = headers.get('parts');
  if (!encoded) return record;
  if (encoded.length % PART_BYTES !== 0) return { reason: `its header parts has ${encoded.length} bytes` };
  const parts = decodeParts(encoded);
  const reason = checkParts(parts, record.count, bytes.length);
  return reason === null ? { ...record, parts } : { reason };
}
