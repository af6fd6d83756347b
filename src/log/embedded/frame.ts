import { crc32 } from 'node:zlib';
import type { AppendRecord, Idempotency, LogRecord } from '../event-log.ts';
import type { StoredKey } from '../idempotency-index.ts';

/**
 * On-disk frame of one record, little-endian:
 *
 *     0 u32 magic        4 u8 version     5 u8 flags       6 u16 client id length
 *     8 u32 header CRC  12 u32 body CRC  16 u32 idempotency block length
 *    20 u32 payload length               24 u32 event count               28 u32 index of the record in its commit
 *    32 f64 offset      40 f64 first event (events in the log before it)
 *    48 f64 received at 56 f64 min timestamp              64 f64 max timestamp
 *    72 client id, idempotency block (key hash 16, body hash 8, answer), payload
 *
 * The header CRC covers bytes 12..71, so that lengths are trusted before the body is read; the body CRC covers the rest.
 * The magic begins with 0xFF, which no UTF-8 text contains: a payload cannot imitate a frame. The checksum is zlib's
 * CRC-32, native at 3 GB/s and more; CRC-32C would have to be JavaScript, ten times slower.
 */
export const FRAME_HEADER_BYTES = 72;
const MAGIC = 0x46_4c_48_ff;
const VERSION = 1;
const FLAG_IDEMPOTENCY = 1;
const KEY_HASH_BYTES = 16;
const BODY_HASH_BYTES = 8;
export const HASH_BYTES = KEY_HASH_BYTES + BODY_HASH_BYTES;

/** A record as it lies in a segment; its bytes and hashes are views of the buffer it was parsed from. */
export interface Frame extends LogRecord {
  /** Number of events that the log had taken before this record. */
  firstEvent: number;
  /** How many records of the same commit stand before this one; 0 in files of before this was written. */
  commitIndex: number;
  idempotency: StoredKey | undefined;
  /** Bytes of the whole frame. */
  size: number;
}

function idempotencyBytes(idempotency: Idempotency | undefined): number {
  return idempotency ? HASH_BYTES + Buffer.byteLength(idempotency.answer) : 0;
}

/** Bytes of everything before the payload. */
export function frameHeadBytes(record: AppendRecord): number {
  return FRAME_HEADER_BYTES + Buffer.byteLength(record.clientId) + idempotencyBytes(record.idempotency);
}

/**
 * Writes a frame into `target` at `at`, without its payload unless `withPayload`, and without what `numberFrame` adds; returns
 * where it ends.
 */
export function writeFrame(target: Buffer, at: number, record: AppendRecord, withPayload: boolean): number {
  const { bytes, idempotency } = record;
  const body = at + FRAME_HEADER_BYTES;
  const clientIdBytes = record.clientId === '' ? 0 : target.write(record.clientId, body);
  const extraStart = body + clientIdBytes;
  let end = extraStart;
  if (idempotency) {
    target.write(idempotency.keyHash, end, KEY_HASH_BYTES, 'hex');
    target.write(idempotency.bodyHash, end + KEY_HASH_BYTES, BODY_HASH_BYTES, 'hex');
    end += HASH_BYTES + target.write(idempotency.answer, end + HASH_BYTES);
  }
  target.writeUInt32LE(MAGIC, at);
  target[at + 4] = VERSION;
  target[at + 5] = idempotency ? FLAG_IDEMPOTENCY : 0;
  target.writeUInt16LE(clientIdBytes, at + 6);
  target.writeUInt32LE(end - extraStart, at + 16);
  target.writeUInt32LE(bytes.length, at + 20);
  target.writeUInt32LE(record.count, at + 24);
  target.writeDoubleLE(record.receivedAtMs, at + 48);
  target.writeDoubleLE(record.minTimestampMs, at + 56);
  target.writeDoubleLE(record.maxTimestampMs, at + 64);
  if (withPayload) {
    target.set(bytes, end);
    end += bytes.length;
  }
  const crc = crc32(target.subarray(body, end));
  target.writeUInt32LE(withPayload ? crc : crc32(bytes, crc), at + 12);
  return end;
}

/** Where in the log a frame stands. */
export type FramePlace = Pick<Frame, 'firstEvent' | 'commitIndex'> & { offset: number };

/** Says where in the log the frame at `at` stands, and completes its header. */
export function numberFrame(target: Buffer, at: number, { offset, firstEvent, commitIndex }: FramePlace): void {
  target.writeUInt32LE(commitIndex, at + 28);
  target.writeDoubleLE(offset, at + 32);
  target.writeDoubleLE(firstEvent, at + 40);
  target.writeUInt32LE(headerCrc(target, at), at + 8);
}

/** CRC-32 by table: for sixty bytes a call of native code would take three times as long. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xed_b8_83_20);
  return crc;
});

/** Over the flags and client id length too, which lie before it: they are the value that it starts from. */
function headerCrc(source: Buffer, at: number): number {
  let crc = ~source.readUInt32LE(at + 4);
  for (let i = at + 12; i < at + FRAME_HEADER_BYTES; i++) {
    crc = (CRC_TABLE[(crc ^ (source[i] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Size of the frame whose header stands at `at`, 0 when no valid header stands there. Needs the whole header. */
export function frameSizeAt(source: Buffer, at: number): number {
  if (source.readUInt32LE(at) !== MAGIC || source[at + 4] !== VERSION) return 0;
  if (source.readUInt32LE(at + 8) !== headerCrc(source, at)) return 0;
  return FRAME_HEADER_BYTES + source.readUInt16LE(at + 6) + source.readUInt32LE(at + 16) + source.readUInt32LE(at + 20);
}

export function frameOffsetAt(source: Buffer, at: number): number {
  return source.readDoubleLE(at + 32);
}

/** The frame of `size` bytes (from `frameSizeAt`) that lies whole in `source`, or null when its body is damaged. */
export function parseFrame(source: Buffer, at: number, size: number): Frame | null {
  const head = at + FRAME_HEADER_BYTES;
  if (crc32(source.subarray(head, at + size)) !== source.readUInt32LE(at + 12)) return null;
  const clientEnd = head + source.readUInt16LE(at + 6);
  const payload = clientEnd + source.readUInt32LE(at + 16);
  return {
    position: { partition: 0, offset: frameOffsetAt(source, at) },
    firstEvent: source.readDoubleLE(at + 40),
    commitIndex: source.readUInt32LE(at + 28),
    bytes: source.subarray(payload, at + size),
    count: source.readUInt32LE(at + 24),
    receivedAtMs: source.readDoubleLE(at + 48),
    minTimestampMs: source.readDoubleLE(at + 56),
    maxTimestampMs: source.readDoubleLE(at + 64),
    clientId: clientEnd > head ? source.toString('utf8', head, clientEnd) : '',
    idempotency:
      ((source[at + 5] as number) & FLAG_IDEMPOTENCY) === 0
        ? undefined
        : {
            hashes: source.subarray(clientEnd, clientEnd + HASH_BYTES),
            answer: source.toString('utf8', clientEnd + HASH_BYTES, payload),
          },
    size,
  };
}

/** Next place at or after `from` where a frame could begin, or -1. */
export function findMagic(source: Buffer, from: number, end: number): number {
  for (let at = source.indexOf(0xff, from); at >= 0 && at + 4 <= end; at = source.indexOf(0xff, at + 1)) {
    if (source.readUInt32LE(at) === MAGIC) return at;
  }
  return -1;
}
