import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ByteWriter } from '../src/log/embedded/byte-stream.ts';
import {
  BLOCK_HEADER_BYTES,
  blockRecords,
  readBlock,
  readBlockHead,
  writeBlockHeader,
  type BlockInfo,
} from '../src/log/embedded/block.ts';
import { HASH_BYTES } from '../src/log/embedded/frame.ts';
import { writeRecords, type RecordEntry } from '../src/log/embedded/record-table.ts';
import { readSealedIndex, sealedFooter, sealedHeader } from '../src/log/embedded/sealed-segment.ts';
import { rawPath, sealedPath } from '../src/log/embedded/segment-file.ts';
import { zstdBlock } from '../src/log/embedded/zstd-block.ts';

/** A sealed segment that can be written again further down the log, with other idempotency keys. */
export interface SegmentTemplate {
  records: number;
  events: number;
  /** Writes the `copy`-th successor of the template into its directory; returns its size in bytes. */
  write: (copy: number) => number;
}

interface TemplateBlock {
  info: BlockInfo;
  entries: RecordEntry[];
  lines: Buffer;
}

/** Reads the sealed segment at `file`, which has to be the first of its log. */
export function readSegmentTemplate(file: string): SegmentTemplate {
  const fd = fs.openSync(file, 'r');
  try {
    const { blocks, nextOffset: records, nextEvent: events } = readSealedIndex(fd, file);
    const parts = blocks.map((info) => {
      const recordsLength = readBlockHead(fd, info).length - BLOCK_HEADER_BYTES;
      const block = readBlock(fd, info);
      return { info, entries: blockRecords(block), lines: block.subarray(BLOCK_HEADER_BYTES + recordsLength) };
    });
    return { records, events, write: (copy) => writeCopy(path.dirname(file), parts, { records, events }, copy) };
  } finally {
    fs.closeSync(fd);
  }
}

function writeCopy(
  directory: string,
  parts: readonly TemplateBlock[],
  size: { records: number; events: number },
  copy: number,
): number {
  const out = new ByteWriter();
  out.bytes(sealedHeader());
  const [offset, event] = [copy * size.records, copy * size.events];
  const blocks = parts.map(({ info, entries, lines }) => {
    const table = new ByteWriter();
    writeRecords(
      table,
      entries.map((entry) => movedEntry(entry, offset, event, copy)),
    );
    const records = zstdBlock(table.view(), 1);
    const block = Buffer.concat([Buffer.alloc(BLOCK_HEADER_BYTES), records, lines]);
    const moved: BlockInfo = {
      ...info,
      position: out.length,
      size: block.length,
      offset: info.offset + offset,
      nextOffset: info.nextOffset + offset,
      firstEvent: info.firstEvent + event,
    };
    writeBlockHeader(block, moved, records.length);
    out.bytes(block);
    return moved;
  });
  out.bytes(sealedFooter(blocks));
  fs.writeFileSync(sealedPath(rawPath(directory, offset)), out.view());
  return out.length;
}

function movedEntry(entry: RecordEntry, offset: number, event: number, copy: number): RecordEntry {
  const { idempotency } = entry;
  const digest = createHash('sha256')
    .update(String(copy))
    .update(idempotency?.hashes ?? '')
    .digest();
  return {
    ...entry,
    offset: entry.offset + offset,
    firstEvent: entry.firstEvent + event,
    idempotency: idempotency && { ...idempotency, hashes: digest.subarray(0, HASH_BYTES) },
  };
}
