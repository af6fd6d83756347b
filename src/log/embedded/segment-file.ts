import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { HeliosError, systemCode } from '../../lib/errors.ts';

/** `log` holds the events, `metrics` the lines of src/model/metric.ts; they share nothing but the data directory. */
export type LogName = 'log' | 'metrics';

/** A log's files lie in `<data dir>/<name>`: `<base offset, 20 digits>.log` raw, `.sealed` columnar, `.tmp` half-made. */
export interface SegmentFile {
  /** Offset of the first record that the segment can hold. */
  base: number;
  sealed: boolean;
  path: string;
}

export function logDirectory(dataDir: string, name: LogName = 'log'): string {
  return path.join(dataDir, name);
}

export function rawPath(directory: string, base: number): string {
  return path.join(directory, `${String(base).padStart(20, '0')}.log`);
}

export function sealedPath(raw: string): string {
  return raw.replace(/\.log$/, '.sealed');
}

/** Every segment by base offset, ascending. A sealed file wins over the raw one it was made from. */
export function listSegments(directory: string): SegmentFile[] {
  const found = new Map<number, SegmentFile>();
  for (const name of fs.readdirSync(directory)) {
    const match = /^(\d{20})\.(log|sealed)$/.exec(name);
    if (!match) continue;
    const base = Number(match[1]);
    const sealed = match[2] === 'sealed';
    if (sealed || !found.has(base)) found.set(base, { base, sealed, path: path.join(directory, name) });
  }
  return [...found.values()].toSorted((a, b) => a.base - b.base);
}

/** The same, but none while the log has not been opened for the first time. */
export function listSegmentsIfAny(directory: string): SegmentFile[] {
  try {
    return listSegments(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * A raw segment begins with: 8 bytes "HELIOSLG", u32 format version, u32 CRC of the rest, f64 base offset,
 * f64 first event, f64 wall clock at creation in ms.
 */
export const SEGMENT_HEADER_BYTES = 40;
const SEGMENT_MAGIC = Buffer.from('HELIOSLG');
const FORMAT_VERSION = 1;

export interface SegmentHeader {
  base: number;
  firstEvent: number;
  createdAtMs: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeDoubleLE(header.base, 16);
  bytes.writeDoubleLE(header.firstEvent, 24);
  bytes.writeDoubleLE(header.createdAtMs, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

/** The header of an open raw segment, or null when it is missing or damaged. Throws on a newer format. */
export function readSegmentHeader(fd: number, file: string): SegmentHeader | null {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  if (fs.readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return null;
  if (!bytes.subarray(0, 8).equals(SEGMENT_MAGIC) || bytes.readUInt32LE(12) !== crc32(bytes.subarray(16))) return null;
  const version = bytes.readUInt32LE(8);
  if (version !== FORMAT_VERSION) {
    throw new HeliosError(
      'corrupt_data',
      `cannot read ${file}: it has log format ${version}, this program knows ${FORMAT_VERSION}`,
    );
  }
  return { base: bytes.readDoubleLE(16), firstEvent: bytes.readDoubleLE(24), createdAtMs: bytes.readDoubleLE(32) };
}
