import fs from 'node:fs';
import path from 'node:path';
import { writeBlock, type BlockInfo } from './block.ts';
import { ByteWriter } from './byte-stream.ts';
import { FrameCursor } from './frame-cursor.ts';
import { LinesEncoder } from './lines-codec.ts';
import { nodeLogFiles } from './log-files.ts';
import { linesLength, recordEntry, type RecordEntry } from './record-table.ts';
import { sealedFooter, sealedHeader, SEALED_HEADER_BYTES } from './sealed-segment.ts';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, sealedPath } from './segment-file.ts';

const BLOCK_EVENTS = 8192;
const BLOCK_BYTES = 4 * 1024 * 1024;

export interface SealOutcome {
  /** False when the raw segment is damaged: it stays as it is, the evidence with it. */
  sealed: boolean;
  bytes: number;
  events: number;
}

/** Buffers of some megabytes each, kept from one segment to the next: fresh ones for each would leave holes in the memory. */
export interface SealBuffers {
  encoder: LinesEncoder;
  out: ByteWriter;
  lines: ByteWriter;
}

/** `level` is zstd's, 1 to 19. */
export function createSealBuffers(level: number): SealBuffers {
  return { encoder: new LinesEncoder(level), out: new ByteWriter(), lines: new ByteWriter() };
}

/** The sealing was cancelled; nothing of it is left. */
export class SealCancelled extends Error {}

/** Writes a sealed segment block by block into an open file. */
class SealedFile {
  readonly #fd: number;
  readonly #encoder: LinesEncoder;
  readonly #out: ByteWriter;
  readonly #lines: ByteWriter;
  #entries: RecordEntry[] = [];
  #events = 0;
  #position = 0;
  readonly blocks: BlockInfo[] = [];

  constructor(fd: number, { encoder, out, lines }: SealBuffers) {
    this.#fd = fd;
    this.#encoder = encoder;
    this.#out = out;
    this.#lines = lines;
    lines.reset();
    this.#write(sealedHeader());
  }

  add(entry: RecordEntry, payload: Uint8Array): void {
    const size = linesLength(entry);
    const full = this.#events + entry.count > BLOCK_EVENTS || this.#lines.length + size > BLOCK_BYTES;
    if (full && this.#entries.length > 0) this.#flush();
    this.#entries.push(entry);
    this.#events += entry.count;
    this.#lines.bytes(payload);
    if (entry.open) this.#lines.byte(10);
  }

  /** Ends the file; returns its size. */
  finish(): number {
    if (this.#entries.length > 0) this.#flush();
    this.#write(sealedFooter(this.blocks));
    return this.#position;
  }

  #flush(): void {
    this.#out.reset();
    this.blocks.push(writeBlock(this.#out, this.#encoder, this.#entries, this.#lines.view(), this.#position));
    this.#write(this.#out.view());
    this.#entries = [];
    this.#events = 0;
    this.#lines.reset();
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(this.#fd, bytes, done, bytes.length - done);
    this.#position += bytes.length;
  }
}

/**
 * Converts a closed raw segment to its sealed form, durably, and removes the raw file. A crash at any point leaves the raw
 * file, the sealed one, or both; never neither. Throws system errors (ENOSPC), and `SealCancelled` soon after `isCancelled` answers true, with
 * the raw file untouched.
 */
export function sealSegment(rawFile: string, buffers: SealBuffers, isCancelled = (): boolean => false): SealOutcome {
  const temporary = rawFile.replace(/\.log$/, '.tmp');
  const raw = fs.openSync(rawFile, 'r');
  try {
    const header = readSegmentHeader(raw, rawFile);
    const cursor = new FrameCursor(raw, rawFile, { position: SEGMENT_HEADER_BYTES, expected: header?.base ?? 0 });
    const fd = fs.openSync(temporary, 'w', 0o640);
    let size = SEALED_HEADER_BYTES;
    let events = 0;
    try {
      const sealed = new SealedFile(fd, buffers);
      for (let frame = cursor.next(); frame; frame = cursor.next()) {
        if (isCancelled()) throw new SealCancelled();
        sealed.add(recordEntry(frame), frame.bytes);
        events += frame.count;
      }
      size = sealed.finish();
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    if (header === null || cursor.damages.length > 0 || cursor.position < fs.fstatSync(raw).size) {
      fs.unlinkSync(temporary);
      return { sealed: false, bytes: cursor.position, events };
    }
    fs.renameSync(temporary, sealedPath(rawFile));
    nodeLogFiles.syncDirectory(path.dirname(rawFile));
    fs.unlinkSync(rawFile);
    return { sealed: true, bytes: size, events };
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  } finally {
    fs.closeSync(raw);
  }
}
