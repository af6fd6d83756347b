import fs from 'node:fs';
import type { Damage } from '../event-log.ts';
import { FRAME_HEADER_BYTES, findMagic, frameOffsetAt, frameSizeAt, parseFrame, type Frame } from './frame.ts';

const WINDOW_BYTES = 1024 * 1024;

/**
 * Walks the frames of a raw segment. A place without a valid frame is skipped up to the next valid one and kept as damage.
 * Used alike for recovery, reading and sealing, so that all agree on what is there.
 */
export class FrameCursor {
  readonly #fd: number;
  readonly #file: string;
  readonly #windowBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** File position of the window's first byte, and the number of valid bytes in it. */
  #start = 0;
  #length = 0;
  /** Where the next frame is looked for. */
  position: number;
  /** The offset that the next frame must have or exceed. */
  expected: number;
  readonly damages: Damage[] = [];

  constructor(fd: number, file: string, from: { position: number; expected: number }, windowBytes = WINDOW_BYTES) {
    this.#fd = fd;
    this.#file = file;
    this.#windowBytes = windowBytes;
    this.position = from.position;
    this.expected = from.expected;
  }

  /** Forgets bytes read earlier: past the committed offset a file may have been cut and written anew. */
  refresh(): void {
    this.#length = 0;
  }

  /**
   * The next valid frame below `limit` (an offset), or null when the file has none; `position` then stays where the last
   * valid one ended. The frame's bytes are valid until the next call.
   */
  next(limit = Infinity): Frame | null {
    if (this.expected >= limit) return null;
    const frame = this.#frameAt(this.position, limit) ?? this.#resync(limit);
    if (!frame) return null;
    this.position += frame.size;
    this.expected = frame.position.offset + 1;
    return frame;
  }

  /** Like `next`, but only when the frame lies in memory already: the frames handed out before stay valid. */
  nextBuffered(limit: number): Frame | null {
    const at = this.position - this.#start;
    if (at < 0 || at + FRAME_HEADER_BYTES > this.#length) return null;
    const size = frameSizeAt(this.#buffer, at);
    return size === 0 || at + size > this.#length ? null : this.next(limit);
  }

  #resync(limit: number): Frame | null {
    const from = this.position;
    for (let at = from + 1; this.#fill(at, FRAME_HEADER_BYTES);) {
      const end = this.#start + this.#length;
      const found = findMagic(this.#buffer, at - this.#start, this.#length);
      if (found < 0) {
        at = end - 3;
        continue;
      }
      at = this.#start + found;
      const frame = this.#frameAt(at, limit);
      if (frame) {
        const reason = `no valid frame before offset ${frame.position.offset}`;
        this.damages.push({ file: this.#file, fromByte: from, toByte: at, reason });
        this.position = at;
        return frame;
      }
      at++;
    }
    return null;
  }

  #frameAt(position: number, limit: number): Frame | null {
    if (!this.#fill(position, FRAME_HEADER_BYTES)) return null;
    const size = frameSizeAt(this.#buffer, position - this.#start);
    if (size === 0) return null;
    const offset = frameOffsetAt(this.#buffer, position - this.#start);
    if (offset < this.expected || offset >= limit || !this.#fill(position, size)) return null;
    return parseFrame(this.#buffer, position - this.#start, size);
  }

  /** Makes [position, position + size) lie in the window; false when the file ends before. */
  #fill(position: number, size: number): boolean {
    if (position >= this.#start && position + size <= this.#start + this.#length) return true;
    const wanted = Math.max(size, this.#windowBytes);
    // A larger window is a new buffer; the old one may still be in a caller's hands.
    if (this.#buffer.length < wanted) {
      if (fs.fstatSync(this.#fd).size < position + size) return false;
      this.#buffer = Buffer.allocUnsafeSlow(wanted);
    }
    this.#start = position;
    this.#length = fs.readSync(this.#fd, this.#buffer, 0, this.#buffer.length, position);
    return this.#length >= size;
  }
}
