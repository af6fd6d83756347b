import fs from 'node:fs';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { Damage, LogReader, LogRecord } from '../event-log.ts';
import { blockLines, blockRecords, payloadOf, readBlock, type BlockInfo } from './block.ts';
import type { Frame } from './frame.ts';
import { FrameCursor } from './frame-cursor.ts';
import { readSealedIndex } from './sealed-segment.ts';
import { listSegmentsIfAny, logDirectory, SEGMENT_HEADER_BYTES, type LogName, type SegmentFile } from './segment-file.ts';

export interface ReaderOptions {
  /** The data directory. */
  dir: string;
  /** Which of its logs; `log` unless given. */
  name?: LogName;
  /** Told of every stretch that had to be skipped. */
  onDamage?: (damage: Damage) => void;
}

/** One open segment, read forwards. */
interface OpenSegment {
  base: number;
  /** Records from offset `from` on and below `limit`, up to about `maxBytes`; empty when the segment has none. */
  read(from: number, limit: number, maxBytes: number): LogRecord[];
  close(): void;
}

/** Opens a reader of a log in `dir`, in any thread; it starts at the first kept record. */
export function openLogReader(options: ReaderOptions): LogReader {
  return new SegmentReader(options);
}

class SegmentReader implements LogReader {
  readonly #directory: string;
  readonly #onDamage: (damage: Damage) => void;
  #next = 0;
  #segment: OpenSegment | null = null;

  constructor({ dir, name, onDamage }: ReaderOptions) {
    this.#directory = logDirectory(dir, name);
    this.#onDamage = onDamage ?? (() => {});
  }

  async read(committedOffset: number, maxBytes: number): Promise<LogRecord[] | null> {
    while (this.#next < committedOffset) {
      this.#segment ??= this.#open((segments) => segments.findLast(({ base }) => base <= this.#next) ?? segments[0]);
      if (this.#segment === null) return null;
      const records = this.#segment.read(this.#next, committedOffset, maxBytes);
      const last = records.at(-1);
      if (last) {
        this.#next = last.position.offset + 1;
        return records;
      }
      const { base } = this.#segment;
      const following = this.#open((segments) => segments.find((other) => other.base > base && other.base < committedOffset));
      if (following === null) return null;
      this.#segment.close();
      this.#segment = following;
    }
    return null;
  }

  seek(offset: number): number {
    this.#segment?.close();
    this.#segment = null;
    this.#next = Math.max(offset, listSegmentsIfAny(this.#directory)[0]?.base ?? 0);
    return this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#segment?.close();
    this.#segment = null;
  }

  /** Lists again when the file was sealed or removed between listing and opening. */
  #open(choose: (segments: SegmentFile[]) => SegmentFile | undefined): OpenSegment | null {
    for (;;) {
      const chosen = choose(listSegmentsIfAny(this.#directory));
      if (!chosen) return null;
      try {
        const fd = fs.openSync(chosen.path, 'r');
        return chosen.sealed ? new SealedSegment(fd, chosen, this.#onDamage) : new RawSegment(fd, chosen, this.#onDamage);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    }
  }
}

/** The open file outlives its removal, so a segment that gets sealed meanwhile is read to its end all the same. */
class RawSegment implements OpenSegment {
  readonly base: number;
  readonly #fd: number;
  readonly #path: string;
  readonly #onDamage: (damage: Damage) => void;
  #cursor: FrameCursor | null = null;
  #reported = 0;

  constructor(fd: number, { base, path }: SegmentFile, onDamage: (damage: Damage) => void) {
    this.base = base;
    this.#fd = fd;
    this.#path = path;
    this.#onDamage = onDamage;
  }

  read(from: number, limit: number, maxBytes: number): LogRecord[] {
    this.#cursor ??= new FrameCursor(this.#fd, this.#path, { position: SEGMENT_HEADER_BYTES, expected: this.base }, maxBytes);
    const cursor = this.#cursor;
    cursor.refresh();
    const records: LogRecord[] = [];
    let frame = cursor.next(limit);
    while (frame && frame.position.offset < from) frame = cursor.next(limit);
    for (let bytes = 0; frame; frame = bytes < maxBytes ? cursor.nextBuffered(limit) : null) {
      records.push(recordOf(frame));
      bytes += frame.bytes.length;
    }
    for (const damage of cursor.damages.slice(this.#reported)) this.#onDamage(damage);
    this.#reported = cursor.damages.length;
    return records;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

function recordOf({ position, bytes, count, minTimestampMs, maxTimestampMs, receivedAtMs, clientId }: Frame): LogRecord {
  return { position, bytes, count, minTimestampMs, maxTimestampMs, receivedAtMs, clientId };
}

class SealedSegment implements OpenSegment {
  readonly base: number;
  readonly #fd: number;
  readonly #path: string;
  readonly #onDamage: (damage: Damage) => void;
  readonly #blocks: readonly BlockInfo[];
  #nextBlock = 0;
  #decoded: LogRecord[] = [];
  #nextRecord = 0;

  constructor(fd: number, { base, path }: SegmentFile, onDamage: (damage: Damage) => void) {
    this.base = base;
    this.#fd = fd;
    this.#path = path;
    this.#onDamage = onDamage;
    const index = readSealedIndex(fd, path);
    this.#blocks = index.blocks;
    for (const damage of index.damages) onDamage(damage);
  }

  read(from: number, limit: number, maxBytes: number): LogRecord[] {
    const records: LogRecord[] = [];
    for (let bytes = 0; records.length === 0 || bytes < maxBytes;) {
      const record = this.#decoded[this.#nextRecord];
      if (record === undefined) {
        if (records.length > 0 || !this.#decodeNext(from)) break;
        continue;
      }
      if (record.position.offset >= limit) break;
      this.#nextRecord++;
      if (record.position.offset < from) continue;
      records.push(record);
      bytes += record.bytes.length;
    }
    return records;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #decodeNext(from: number): boolean {
    for (let block = this.#blocks[this.#nextBlock]; block; block = this.#blocks[this.#nextBlock]) {
      this.#nextBlock++;
      if (block.nextOffset <= from) continue;
      try {
        this.#decoded = readRecordsOf(this.#fd, block);
        this.#nextRecord = 0;
        return true;
      } catch (error) {
        if (!(error instanceof HeliosError)) throw error;
        this.#onDamage(blockDamage(this.#path, block, error));
      }
    }
    return false;
  }
}

export function blockDamage(file: string, { position, size }: BlockInfo, error: Error): Damage {
  return { file, fromByte: position, toByte: position + size, reason: error.message };
}

/** The records of a sealed block as they were appended. Throws `corrupt_data`. */
export function readRecordsOf(fd: number, info: BlockInfo): LogRecord[] {
  const block = readBlock(fd, info);
  const entries = blockRecords(block);
  const payloads = payloadOf(blockLines(block), entries);
  return entries.map(({ offset, count, receivedAtMs, minTimestampMs, maxTimestampMs, clientId }, i) => ({
    position: { partition: 0, offset },
    bytes: payloads[i] as Buffer,
    count,
    minTimestampMs,
    maxTimestampMs,
    receivedAtMs,
    clientId,
  }));
}
