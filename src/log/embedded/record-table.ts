import { ByteReader, ByteWriter } from './byte-stream.ts';
import type { StoredKey } from '../idempotency-index.ts';
import { HASH_BYTES, type Frame } from './frame.ts';

/** A record of a block without its lines. */
export interface RecordEntry {
  offset: number;
  firstEvent: number;
  count: number;
  /** Bytes of the payload. */
  length: number;
  /** The payload does not end with the newline that the block's lines have there. */
  open: boolean;
  receivedAtMs: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  clientId: string;
  idempotency: StoredKey | undefined;
}

const FLAG_OPEN = 1;
const FLAG_KEY = 2;
/** Times are not whole microseconds: kept as doubles. */
const FLAG_EXACT_TIMES = 4;
const MAX_TICKS = 2 ** 50;

export function recordEntry(frame: Frame): RecordEntry {
  const { position, firstEvent, count, bytes, receivedAtMs, minTimestampMs, maxTimestampMs, clientId, idempotency: key } = frame;
  const open = bytes.length > 0 && bytes[bytes.length - 1] !== 10;
  const length = bytes.length;
  return {
    offset: position.offset,
    firstEvent,
    count,
    length,
    open,
    receivedAtMs,
    minTimestampMs,
    maxTimestampMs,
    clientId,
    // The frame's memory is used again.
    idempotency: key && { hashes: new Uint8Array(key.hashes), answer: key.answer },
  };
}

/** Bytes of the record's lines inside the block, every line with its newline. */
export function linesLength(entry: RecordEntry): number {
  return entry.length + (entry.open ? 1 : 0);
}

function ticks(ms: number): number {
  const value = Math.round(ms * 1000);
  return value / 1000 === ms && Math.abs(value) < MAX_TICKS * 2 && !Object.is(value, -0) ? value : NaN;
}

/** Appends the entries, delta-coded against each other; the reader is told their number. */
export function writeRecords(out: ByteWriter, entries: readonly RecordEntry[]): void {
  const clients = new Map<string, number>();
  let previous = { offset: -1, firstEvent: 0, received: 0, count: 0 };
  for (const entry of entries) {
    const times = [ticks(entry.receivedAtMs), ticks(entry.minTimestampMs), ticks(entry.maxTimestampMs)] as const;
    const exact = times.some((time) => Number.isNaN(time));
    out.byte((entry.open ? FLAG_OPEN : 0) | (entry.idempotency ? FLAG_KEY : 0) | (exact ? FLAG_EXACT_TIMES : 0));
    out.varint(entry.offset - previous.offset - 1);
    out.varint(entry.firstEvent - previous.firstEvent - previous.count);
    out.varint(entry.count);
    out.varint(entry.length);
    const client = clients.get(entry.clientId) ?? clients.size;
    out.varint(client);
    if (client === clients.size) {
      clients.set(entry.clientId, client);
      out.text(entry.clientId);
    }
    if (exact) {
      out.double(entry.receivedAtMs);
      out.double(entry.minTimestampMs);
      out.double(entry.maxTimestampMs);
    } else {
      out.signedVarint(times[0] - previous.received);
      out.signedVarint(times[0] - times[1]);
      out.signedVarint(times[2] - times[1]);
    }
    if (entry.idempotency) writeKey(out, entry.idempotency);
    previous = {
      offset: entry.offset,
      firstEvent: entry.firstEvent,
      count: entry.count,
      received: exact ? previous.received : times[0],
    };
  }
}

function writeKey(out: ByteWriter, { hashes, answer }: StoredKey): void {
  out.bytes(hashes);
  out.text(answer);
}

export function readRecords(source: ByteReader, count: number): RecordEntry[] {
  const entries: RecordEntry[] = [];
  const clients: string[] = [];
  let [offset, nextEvent, received] = [-1, 0, 0];
  for (let i = 0; i < count; i++) {
    const flags = source.byte();
    offset += source.varint() + 1;
    const firstEvent = nextEvent + source.varint();
    const events = source.varint();
    const length = source.varint();
    const client = source.varint();
    if (client === clients.length) clients.push(source.text());
    const times = (flags & FLAG_EXACT_TIMES) === 0 ? readTicks(source, received) : readTimes(source);
    if ((flags & FLAG_EXACT_TIMES) === 0) received = Math.round(times.receivedAtMs * 1000);
    nextEvent = firstEvent + events;
    const idempotency = (flags & FLAG_KEY) === 0 ? undefined : readKey(source);
    const clientId = clients[client] ?? '';
    entries.push({ offset, firstEvent, count: events, length, open: (flags & FLAG_OPEN) !== 0, ...times, clientId, idempotency });
  }
  return entries;
}

function readTicks(source: ByteReader, previousReceived: number) {
  const received = previousReceived + source.signedVarint();
  const min = received - source.signedVarint();
  const max = min + source.signedVarint();
  return { receivedAtMs: received / 1000, minTimestampMs: min / 1000, maxTimestampMs: max / 1000 };
}

function readTimes(source: ByteReader) {
  return { receivedAtMs: source.double(), minTimestampMs: source.double(), maxTimestampMs: source.double() };
}

function readKey(source: ByteReader): StoredKey {
  return { hashes: source.bytes(HASH_BYTES), answer: source.text() };
}
