import { crc32 } from 'node:zlib';
import type { AppendRecord, Idempotency, LogRecord } from '../event-log.ts';

/**
 * On-disk frame of one record, little-endian:
 *
 *     0 u32 magic        4 u8 version     5 u8 flags       6 u16 client id length
 *     8 u32 header CRC  12 u32 body CRC  16 u32 idempotency block length
 *    20 u32 payload length               24 u32 event count               28 u32 zero
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
const HASH_BYTES = 24;

/** A record as it lies in a segment; `bytes` is a view of the buffer it was parsed from. */
export interface Frame extends LogRecord {
  /** Number of events that the log had taken before this record. */
  firstEvent: number;
  idempotency: Idempotency | undefined;
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

/** Writes everything before the payload into `target` at `at`; returns where it ends. */
export function writeFrameHead(target: Buffer, at: number, record: AppendRecord, offset: number, firstEvent: number): number {
  let end = at + FRAME_HEADER_BYTES;
  const clientIdBytes = target.write(record.clientId, end);
  end += clientIdBytes;
  const extraStart = end;
  if (record.idempotency) {
    target.write(record.idempotency.keyHash, end, 16, 'hex');
    target.write(record.idempotency.bodyHash, end + 16, 8, 'hex');
    end += HASH_BYTES + target.write(record.idempotency.answer, end + HASH_BYTES);
  }
  target.writeUInt32LE(MAGIC, at);
  target[at + 4] = VERSION;
  target[at + 5] = record.idempotency ? FLAG_IDEMPOTENCY : 0;
  target.writeUInt16LE(clientIdBytes, at + 6);
  target.writeUInt32LE(end - extraStart, at + 16);
  target.writeUInt32LE(record.bytes.length, at + 20);
  target.writeUInt32LE(record.count, at + 24);
  target.writeUInt32LE(0, at + 28);
  target.writeDoubleLE(offset, at + 32);
  target.writeDoubleLE(firstEvent, at + 40);
  target.writeDoubleLE(record.receivedAtMs, at + 48);
  target.writeDoubleLE(record.minTimestampMs, at + 56);
  target.writeDoubleLE(record.maxTimestampMs, at + 64);
  const headCrc = end > at + FRAME_HEADER_BYTES ? crc32(target.subarray(at + FRAME_HEADER_BYTES, end)) : 0;
  target.writeUInt32LE(crc32(record.bytes, headCrc), at + 12);
  target.writeUInt32LE(headerCrc(target, at), at + 8);
  return end;
}

/** Over the flags and client id length too, which lie before it. */
function headerCrc(source: Buffer, at: number): number {
  return crc32(source.subarray(at + 12, at + FRAME_HEADER_BYTES), source.readUInt32LE(at + 4));
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
            keyHash: source.toString('hex', clientEnd, clientEnd + 16),
            bodyHash: source.toString('hex', clientEnd + 16, clientEnd + HASH_BYTES),
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
