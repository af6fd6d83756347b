import type { FrameBatch } from './frame-batch.ts';
import { isDiskFull, type LogFiles } from './log-files.ts';
import type { Segment } from './segment.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-file.ts';

/**
 * Commits up to this size bring zeros for those that follow: fewer than one in a hundred, as 4 MiB last for 128 of them. Larger
 * ones only append: from about 128 KiB on, writing each byte twice costs more than the journal.
 */
const SMALL_COMMIT_BYTES = 32 * 1024;
/** Zeros written at a time: as many bytes as the segment holds, so that a quiet log writes few, within these bounds. */
const MIN_FILL_BYTES = 64 * 1024;
const MAX_FILL_BYTES = 4 * 1024 * 1024;
const ZEROS = Buffer.alloc(MIN_FILL_BYTES);

/**
 * The one raw segment that is written to. Its file is good up to `segment.bytes`; zeros may follow. Writing over them changes neither
 * the file's size nor its extents, so that an fdatasync has no journal to wait for. They are cut off when the segment is closed.
 */
export class ActiveSegment {
  readonly segment: Segment;
  readonly #files: LogFiles;
  readonly #fd: number;
  /** Where the zeros end; not above `segment.bytes` when there are none. */
  #filledTo: number;
  /** After a full disk the segment grows only by what it holds. */
  #mayFill = true;

  private constructor(segment: Segment, files: LogFiles, fd: number) {
    this.segment = segment;
    this.#files = files;
    this.#fd = fd;
    this.#filledTo = segment.bytes;
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

  /**
   * Writes the batch behind what is there, not yet durable. The segment's figures stay as they are. A small batch that has reached
   * the end of the zeros brings new ones, up to `segmentSize`; returns whether it did.
   */
  write(batch: FrameBatch, segmentSize: number): boolean {
    const { bytes, nextOffset, nextEvent } = this.segment;
    writeAll(this.#files, this.#fd, batch.number(nextOffset, nextEvent), batch.bytes, bytes);
    const end = bytes + batch.bytes;
    if (end <= this.#filledTo) return false;
    this.#filledTo = end;
    if (!this.#mayFill || batch.bytes > SMALL_COMMIT_BYTES) return false;
    const size = Math.min(Math.max(MIN_FILL_BYTES, Math.min(end, MAX_FILL_BYTES)), segmentSize - end);
    if (size > 0) this.#fill(end, size);
    return size > 0;
  }

  /** A disk that is too full for zeros may still have room for records: it gets the zeros back. */
  #fill(from: number, size: number): void {
    const zeros = Array.from({ length: Math.ceil(size / ZEROS.length) }, (_, i) => ZEROS.subarray(0, size - i * ZEROS.length));
    try {
      writeAll(this.#files, this.#fd, zeros, size, from);
      this.#filledTo = from + size;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#mayFill = false;
      this.#files.truncate(this.#fd, from);
    }
  }

  syncData(): void {
    this.#files.syncData(this.#fd);
  }

  syncDataAsync(): Promise<void> {
    return this.#files.syncDataAsync(this.#fd);
  }

  /** Accounts for a batch that is durable now. */
  advance(batch: FrameBatch): void {
    const { segment } = this;
    segment.bytes += batch.bytes;
    segment.nextOffset += batch.size;
    segment.nextEvent += batch.events;
    segment.maxTimestampMs = Math.max(segment.maxTimestampMs, batch.maxTimestampMs);
  }

  /** Cuts the file back to its last good frame after a full disk, durably. */
  cut(): void {
    this.#mayFill = false;
    this.#truncate();
  }

  /** Cuts the zeros off, durably: a segment that is closed ends with its last frame. */
  trim(): void {
    if (this.#filledTo > this.segment.bytes) this.#truncate();
  }

  #truncate(): void {
    this.#files.truncate(this.#fd, this.segment.bytes);
    this.#filledTo = this.segment.bytes;
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
