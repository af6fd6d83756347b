import type { AppendRecord } from '../event-log.ts';
import { frameHeadBytes, writeFrameHead } from './frame.ts';
import type { LogFiles } from './log-files.ts';
import type { Segment } from './segment.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-file.ts';

/** Payloads up to this are copied next to their heads: fewer, longer pieces for the system call. */
const COPY_BYTES = 8 * 1024;

/** The one raw segment that is written to. Its file is good up to `segment.bytes`. */
export class ActiveSegment {
  readonly segment: Segment;
  readonly #files: LogFiles;
  readonly #fd: number;

  private constructor(segment: Segment, files: LogFiles, fd: number) {
    this.segment = segment;
    this.#files = files;
    this.#fd = fd;
  }

  /** Opens a recovered segment to append to. */
  static open(segment: Segment, files: LogFiles): ActiveSegment {
    return new ActiveSegment(segment, files, files.open(segment.path));
  }

  /** Makes the file with its header, durably; leaves nothing behind when that fails. */
  static create(segment: Segment, files: LogFiles, directory: string): ActiveSegment {
    const fd = files.open(segment.path);
    try {
      files.truncate(fd, 0);
      const { base, nextEvent, createdAtMs } = segment;
      const header = encodeSegmentHeader({ base, firstEvent: nextEvent, createdAtMs });
      writeAll(files, fd, [header], SEGMENT_HEADER_BYTES, 0);
      files.syncData(fd);
      files.syncDirectory(directory);
      return new ActiveSegment(segment, files, fd);
    } catch (error) {
      files.close(fd);
      files.unlink(segment.path);
      throw error;
    }
  }

  get holdsRecords(): boolean {
    return this.segment.nextOffset > this.segment.base;
  }

  /** Writes the records behind each other, not yet durable; returns the bytes. The segment's figures stay as they are. */
  write(records: readonly AppendRecord[]): number {
    let { nextOffset: offset, nextEvent: event } = this.segment;
    let arenaBytes = 0;
    for (const record of records)
      arenaBytes += frameHeadBytes(record) + (record.bytes.length <= COPY_BYTES ? record.bytes.length : 0);
    const arena = Buffer.allocUnsafe(arenaBytes);
    const pieces: Uint8Array[] = [];
    let [from, at, total] = [0, 0, 0];
    for (const record of records) {
      at = writeFrameHead(arena, at, record, offset, event);
      offset++;
      event += record.count;
      if (record.bytes.length <= COPY_BYTES) {
        arena.set(record.bytes, at);
        at += record.bytes.length;
      } else {
        pieces.push(arena.subarray(from, at), record.bytes);
        total += record.bytes.length;
        from = at;
      }
    }
    if (at > from) pieces.push(arena.subarray(from, at));
    total += at;
    writeAll(this.#files, this.#fd, pieces, total, this.segment.bytes);
    return total;
  }

  syncData(): void {
    this.#files.syncData(this.#fd);
  }

  syncDataAsync(): Promise<void> {
    return this.#files.syncDataAsync(this.#fd);
  }

  /** Accounts for records that are durable now. */
  advance(records: readonly AppendRecord[], bytes: number): void {
    const { segment } = this;
    segment.bytes += bytes;
    segment.nextOffset += records.length;
    for (const record of records) {
      segment.nextEvent += record.count;
      segment.maxTimestampMs = Math.max(segment.maxTimestampMs, record.maxTimestampMs);
    }
  }

  /** Cuts the file back to its last good frame, durably. */
  cut(): void {
    this.#files.truncate(this.#fd, this.segment.bytes);
    this.#files.syncData(this.#fd);
  }

  close(): void {
    this.#files.close(this.#fd);
  }
}

/** A short write is asked to go on; the disk then says why it stopped. */
function writeAll(files: LogFiles, fd: number, buffers: readonly Uint8Array[], total: number, position: number): void {
  let done = files.writev(fd, buffers, position);
  while (done < total) done += files.writev(fd, [Buffer.concat(buffers).subarray(done)], position + done);
}
