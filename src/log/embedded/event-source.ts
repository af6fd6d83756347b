import fs from 'node:fs';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { EventBlock, EventSource } from '../../model/event-block.ts';
import { blockLines, readBlock, type BlockInfo } from './block.ts';
import type { Frame } from './frame.ts';
import { FrameCursor } from './frame-cursor.ts';
import { readSealedIndex } from './sealed-segment.ts';
import { listSegmentsIfAny, logDirectory, SEGMENT_HEADER_BYTES, sealedPath, type SegmentFile } from './segment-file.ts';
import { blockDamage, readRecordsOf, type ReaderOptions } from './segment-reader.ts';

/** Frames are small: this many bytes of them make a block. */
const RAW_BLOCK_BYTES = 256 * 1024;

/** Opens the log's files for queries, in any thread. */
export function openEventSource(options: ReaderOptions): EventSource {
  return new SegmentEventSource(options);
}

interface SegmentBlocks {
  readonly sealed: boolean;
  blocks(committedOffset: number): EventBlock[];
  close(): void;
}

class SegmentEventSource implements EventSource {
  readonly #options: ReaderOptions;
  readonly #directory: string;
  readonly #segments = new Map<number, SegmentBlocks>();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#directory = logDirectory(options.dir, options.name);
  }

  blocks(committedOffset: number): EventBlock[] {
    const listed = listSegmentsIfAny(this.#directory);
    this.#forget(listed);
    const found: EventBlock[] = [];
    for (const file of listed) {
      if (file.base >= committedOffset) break;
      for (const block of this.#segment(file)?.blocks(committedOffset) ?? []) {
        if (block.offset < committedOffset) found.push(block);
      }
    }
    return found;
  }

  firstOffset(): number {
    return listSegmentsIfAny(this.#directory)[0]?.base ?? 0;
  }

  close(): void {
    this.#forget([]);
  }

  #forget(kept: SegmentFile[]): void {
    const kinds = new Map(kept.map(({ base, sealed }) => [base, sealed]));
    for (const [base, segment] of this.#segments) {
      if (kinds.get(base) === segment.sealed) continue;
      segment.close();
      this.#segments.delete(base);
    }
  }

  /** Undefined when the file has gone since it was listed: then it was sealed (seen at the next call) or removed. */
  #segment(file: SegmentFile): SegmentBlocks | undefined {
    const known = this.#segments.get(file.base);
    if (known) return known;
    try {
      const opened = file.sealed ? new SealedBlocks(file, this.#options) : new RawBlocks(file);
      this.#segments.set(file.base, opened);
      return opened;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      const sealed = { ...file, path: sealedPath(file.path), sealed: true };
      return file.sealed || !fs.existsSync(sealed.path) ? undefined : this.#segment(sealed);
    }
  }
}

class SealedBlocks implements SegmentBlocks {
  readonly sealed = true;
  readonly #blocks: EventBlock[];

  constructor({ path }: SegmentFile, { onDamage }: ReaderOptions) {
    const fd = fs.openSync(path, 'r');
    try {
      const { blocks, damages } = readSealedIndex(fd, path);
      for (const damage of damages) onDamage?.(damage);
      this.#blocks = blocks.map((info) => ({
        offset: info.offset,
        firstEvent: info.firstEvent,
        minTimestampMs: info.minTimestampMs,
        maxTimestampMs: info.maxTimestampMs,
        count: info.count,
        entities: info.entities,
        read: () => readSealed(path, info, onDamage),
      }));
    } finally {
      fs.closeSync(fd);
    }
  }

  blocks(): EventBlock[] {
    return this.#blocks;
  }

  close(): void {}
}

function readSealed(path: string, info: BlockInfo, onDamage: ReaderOptions['onDamage']): Uint8Array {
  return whenKept(path, (fd) => {
    try {
      return blockLines(readBlock(fd, info));
    } catch (error) {
      if (!(error instanceof HeliosError)) throw error;
      onDamage?.(blockDamage(path, info, error));
      return new Uint8Array(0);
    }
  });
}

/** Runs `read` on the open file; nothing when retention has removed it. */
function whenKept(path: string, read: (fd: number) => Uint8Array): Uint8Array {
  let fd: number;
  try {
    fd = fs.openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Uint8Array(0);
    throw error;
  }
  try {
    return read(fd);
  } finally {
    fs.closeSync(fd);
  }
}

interface RawStretch {
  position: number;
  offset: number;
  nextOffset: number;
  firstEvent: number;
  count: number;
  bytes: number;
  minTimestampMs: number;
  maxTimestampMs: number;
}

class RawBlocks implements SegmentBlocks {
  readonly sealed = false;
  readonly #path: string;
  readonly #base: number;
  readonly #fd: number;
  readonly #cursor: FrameCursor;
  readonly #full: EventBlock[] = [];
  #tail: RawStretch | null = null;
  #closed = false;

  constructor({ path, base }: SegmentFile) {
    this.#path = path;
    this.#base = base;
    this.#fd = fs.openSync(path, 'r');
    this.#cursor = new FrameCursor(this.#fd, path, { position: SEGMENT_HEADER_BYTES, expected: base });
  }

  blocks(committedOffset: number): EventBlock[] {
    const cursor = this.#cursor;
    cursor.refresh();
    for (let frame = cursor.next(committedOffset); frame; frame = cursor.next(committedOffset)) {
      this.#tail = extend(this.#tail, frame, cursor.position - frame.size);
      if (this.#tail.bytes < RAW_BLOCK_BYTES) continue;
      this.#full.push(this.#blockOf(this.#tail));
      this.#tail = null;
    }
    return this.#tail ? [...this.#full, this.#blockOf({ ...this.#tail })] : this.#full;
  }

  close(): void {
    this.#closed = true;
    fs.closeSync(this.#fd);
  }

  #blockOf(stretch: RawStretch): EventBlock {
    const { offset, firstEvent, minTimestampMs, maxTimestampMs, count } = stretch;
    return { offset, firstEvent, minTimestampMs, maxTimestampMs, count, entities: null, read: () => this.#read(stretch) };
  }

  /** After the segment was sealed under a caller's feet, the same records come from the sealed file. */
  #read({ position, offset, nextOffset }: RawStretch): Uint8Array {
    if (this.#closed) return whenKept(sealedPath(this.#path), (fd) => readSealedRange(fd, this.#path, offset, nextOffset));
    const cursor = new FrameCursor(this.#fd, this.#path, { position, expected: Math.max(offset, this.#base) });
    const parts: Uint8Array[] = [];
    for (let frame = cursor.next(nextOffset); frame; frame = cursor.next(nextOffset)) {
      parts.push(Buffer.from(frame.bytes));
      if (frame.bytes.at(-1) !== 10) parts.push(Buffer.from('\n'));
    }
    return Buffer.concat(parts);
  }
}

function extend(tail: RawStretch | null, frame: Frame, position: number): RawStretch {
  const { offset } = frame.position;
  const stretch = tail ?? {
    position,
    offset,
    nextOffset: offset,
    firstEvent: frame.firstEvent,
    count: 0,
    bytes: 0,
    minTimestampMs: Infinity,
    maxTimestampMs: -Infinity,
  };
  return Object.assign(stretch, {
    nextOffset: offset + 1,
    count: stretch.count + frame.count,
    bytes: stretch.bytes + frame.bytes.length,
    minTimestampMs: Math.min(stretch.minTimestampMs, frame.minTimestampMs),
    maxTimestampMs: Math.max(stretch.maxTimestampMs, frame.maxTimestampMs),
  });
}

function readSealedRange(fd: number, path: string, from: number, to: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const info of readSealedIndex(fd, path).blocks) {
    if (info.nextOffset <= from || info.offset >= to) continue;
    for (const record of readRecordsOf(fd, info)) {
      if (record.position.offset < from || record.position.offset >= to) continue;
      parts.push(record.bytes);
      if (record.bytes.at(-1) !== 10) parts.push(Buffer.from('\n'));
    }
  }
  return Buffer.concat(parts);
}
