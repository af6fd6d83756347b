import type { FrameBatch } from './frame-batch.ts';
import type { LogFiles } from './log-files.ts';
import type { Segment } from './segment.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-file.ts';

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

  /** Writes the batch behind what is there, not yet durable. The segment's figures stay as they are. */
  write(batch: FrameBatch): void {
    const { bytes, nextOffset, nextEvent } = this.segment;
    writeAll(this.#files, this.#fd, batch.number(nextOffset, nextEvent), batch.bytes, bytes);
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
