import fs from 'node:fs';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { decodeLines, LINES_VERSION, type LinesEncoder } from './lines-codec.ts';
import { linesLength, readRecords, writeRecords, type RecordEntry } from './record-table.ts';
import { zstdBlock } from './zstd-block.ts';

/**
 * A block of a sealed segment, little-endian; it describes itself, so that a segment without its footer is still read:
 *
 *     0 u32 magic            4 u32 version of lines  8 u32 header CRC      12 u32 records CRC
 *    16 u32 records length  20 u32 lines length     24 u32 record count    28 u32 event count
 *    32 u32 bytes of lines  36 u32 idempotency keys 40 f64 first offset    48 f64 next offset
 *    56 f64 first event     64 f64 min timestamp    72 f64 max timestamp
 *    80 u32 lines CRC       84 u32 zero
 *    88 records (record-table.ts, zstd), lines (lines-codec.ts)
 */
export const BLOCK_HEADER_BYTES = 88;
const MAGIC = 0x4b_42_48_ff;
const RECORDS_LEVEL = 1;

export interface BlockInfo {
  /** Where the block lies in its file, and its size there. */
  position: number;
  size: number;
  offset: number;
  nextOffset: number;
  firstEvent: number;
  records: number;
  count: number;
  /** Bytes of its lines as NDJSON. */
  linesBytes: number;
  /** Number of records with an idempotency key. */
  keys: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  /** Entity ids inside, or null when not known without reading it. */
  entities: ReadonlySet<string> | null;
}

/** Appends a block to `out` and returns what to remember of it; `position` is where it will lie. */
export function writeBlock(
  out: ByteWriter,
  encoder: LinesEncoder,
  entries: readonly RecordEntry[],
  lines: Buffer,
  position: number,
): BlockInfo {
  const [first, last] = [entries[0] as RecordEntry, entries.at(-1) as RecordEntry];
  const at = out.length;
  out.reserve(BLOCK_HEADER_BYTES).fill(0, at, at + BLOCK_HEADER_BYTES);
  out.length += BLOCK_HEADER_BYTES;
  const table = new ByteWriter();
  writeRecords(table, entries);
  const records = zstdBlock(table.view(), RECORDS_LEVEL);
  out.bytes(records);
  const entities = encoder.encode(lines, out);
  const bodyEnd = out.length;
  const info: BlockInfo = {
    position,
    size: bodyEnd - at,
    offset: first.offset,
    nextOffset: last.offset + 1,
    firstEvent: first.firstEvent,
    records: entries.length,
    count: entries.reduce((sum, entry) => sum + entry.count, 0),
    linesBytes: lines.length,
    keys: entries.reduce((sum, entry) => sum + (entry.idempotency ? 1 : 0), 0),
    minTimestampMs: entries.reduce((min, entry) => Math.min(min, entry.minTimestampMs), Infinity),
    maxTimestampMs: entries.reduce((max, entry) => Math.max(max, entry.maxTimestampMs), -Infinity),
    entities,
  };
  writeBlockHeader(out.view().subarray(at), info, records.length);
  return info;
}

/** Writes the header of a block that is complete but for it: the checksums are those of its bytes. */
export function writeBlockHeader(block: Buffer, info: BlockInfo, recordsLength: number): void {
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt32LE(LINES_VERSION, 4);
  const recordsEnd = BLOCK_HEADER_BYTES + recordsLength;
  block.writeUInt32LE(crc32(block.subarray(BLOCK_HEADER_BYTES, recordsEnd)), 12);
  block.writeUInt32LE(crc32(block.subarray(recordsEnd)), 80);
  block.writeUInt32LE(recordsLength, 16);
  block.writeUInt32LE(info.size - BLOCK_HEADER_BYTES - recordsLength, 20);
  block.writeUInt32LE(info.records, 24);
  block.writeUInt32LE(info.count, 28);
  block.writeUInt32LE(info.linesBytes, 32);
  block.writeUInt32LE(info.keys, 36);
  block.writeDoubleLE(info.offset, 40);
  block.writeDoubleLE(info.nextOffset, 48);
  block.writeDoubleLE(info.firstEvent, 56);
  block.writeDoubleLE(info.minTimestampMs, 64);
  block.writeDoubleLE(info.maxTimestampMs, 72);
  block.writeUInt32LE(headerCrc(block, 0, LINES_VERSION), 8);
}

/** Covers the version too, from version 2 on. */
function headerCrc(source: Buffer, at: number, version: number): number {
  return crc32(source.subarray(at + 12, at + BLOCK_HEADER_BYTES), version === 1 ? 0 : version);
}

/** The block whose header stands at `at`, or null when none does. Needs the whole header; knows no entities. */
export function blockInfoAt(source: Buffer, at: number, position: number): BlockInfo | null {
  const version = source.readUInt32LE(at + 4);
  if (source.readUInt32LE(at) !== MAGIC || version < 1 || version > LINES_VERSION) return null;
  if (source.readUInt32LE(at + 8) !== headerCrc(source, at, version)) return null;
  return {
    position,
    size: BLOCK_HEADER_BYTES + source.readUInt32LE(at + 16) + source.readUInt32LE(at + 20),
    offset: source.readDoubleLE(at + 40),
    nextOffset: source.readDoubleLE(at + 48),
    firstEvent: source.readDoubleLE(at + 56),
    records: source.readUInt32LE(at + 24),
    count: source.readUInt32LE(at + 28),
    linesBytes: source.readUInt32LE(at + 32),
    keys: source.readUInt32LE(at + 36),
    minTimestampMs: source.readDoubleLE(at + 64),
    maxTimestampMs: source.readDoubleLE(at + 72),
    entities: null,
  };
}

/** Reads a whole block; throws `corrupt_data` when it is not what `info` says. */
export function readBlock(fd: number, info: BlockInfo): Buffer {
  const block = Buffer.allocUnsafe(info.size);
  const length = fs.readSync(fd, block, 0, info.size, info.position);
  const header = length < info.size ? null : blockInfoAt(block, 0, info.position);
  if (header?.size !== info.size || header.offset !== info.offset) throw damaged(info.position);
  return block;
}

/** Reads the first part of a block only: enough for `blockRecords`. */
export function readBlockHead(fd: number, info: BlockInfo): Buffer {
  const header = Buffer.allocUnsafe(BLOCK_HEADER_BYTES);
  const length = fs.readSync(fd, header, 0, BLOCK_HEADER_BYTES, info.position);
  if (length < BLOCK_HEADER_BYTES || blockInfoAt(header, 0, info.position)?.size !== info.size) throw damaged(info.position);
  const head = Buffer.allocUnsafe(BLOCK_HEADER_BYTES + header.readUInt32LE(16));
  fs.readSync(fd, head, 0, head.length, info.position);
  return head;
}

function damaged(position: number): HeliosError {
  return new HeliosError('corrupt_data', `cannot read block at byte ${position}: its checksum does not match`);
}

/** Every record of a block without its lines. Throws `corrupt_data`. */
export function blockRecords(block: Buffer): RecordEntry[] {
  const records = block.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + block.readUInt32LE(16));
  if (crc32(records) !== block.readUInt32LE(12)) throw damaged(0);
  return readRecords(new ByteReader(zstdDecompressSync(records)), block.readUInt32LE(24));
}

/** The lines of a block from `readBlock` as NDJSON. Throws `corrupt_data`. */
export function blockLines(block: Buffer): Buffer {
  const lines = block.subarray(BLOCK_HEADER_BYTES + block.readUInt32LE(16));
  if (crc32(lines) !== block.readUInt32LE(80)) throw damaged(0);
  return decodeLines(lines, block.readUInt32LE(32), block.readUInt32LE(4));
}

/** Where each record's payload lies in the block's lines. */
export function payloadOf(lines: Buffer, entries: readonly RecordEntry[]): Buffer[] {
  let at = 0;
  return entries.map((entry) => {
    const payload = lines.subarray(at, at + entry.length);
    at += linesLength(entry);
    return payload;
  });
}
