import fs from 'node:fs';
import path from 'node:path';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Damage } from '../event-log.ts';
import { blockRecords, readBlockHead, type BlockInfo } from './block.ts';
import type { StoredKey } from '../idempotency-index.ts';
import type { Frame } from './frame.ts';
import { FrameCursor } from './frame-cursor.ts';
import type { LogFiles } from './log-files.ts';
import { readSealedIndex } from './sealed-segment.ts';
import { countFrame, emptySegment, type Segment } from './segment.ts';
import {
  encodeSegmentHeader,
  listSegments,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  sealedPath,
  type SegmentFile,
} from './segment-file.ts';

/** Told of every request with an idempotency key, oldest first. */
export type KeyListener = (key: StoredKey, count: number, receivedAtMs: number) => void;

export interface Recovered {
  segments: Segment[];
  damages: Damage[];
}

export interface RecoveryOptions {
  directory: string;
  files: LogFiles;
  logger: Logger;
  /** Number of newest keys wanted. */
  maxKeys: number;
  onKey: KeyListener;
  /** Told before of how many at most. */
  expectKeys: (count: number) => void;
  nowMs: number;
  /** Every record below was acknowledged: a reader has stored what it made of it. */
  expectedOffset: number;
}

/**
 * Brings the directory into a state to append to: half-made files are removed, a torn tail of the newest segment is cut,
 * and nothing else is touched. What is damaged is named and stays where it is.
 */
export function recoverSegments(options: RecoveryOptions): Recovered {
  const { directory } = options;
  removeLeftovers(directory, options.logger);
  const listed = listSegments(directory);
  const recovered: Recovered = { segments: [], damages: [] };
  const sealedIndexes = listed.map((file) => (file.sealed ? readIndex(file) : null));
  const wanted = newestKeyBlocks(
    sealedIndexes.map((index) => index?.blocks ?? []),
    options.maxKeys,
  );
  options.expectKeys(wanted.values().reduce((sum, { keys }) => sum + keys, 0));
  for (const [i, file] of listed.entries()) {
    const index = sealedIndexes[i];
    nameGap(file, recovered);
    if (index) {
      recovered.segments.push(sealedSegment(file, index));
      recovered.damages.push(...index.damages);
      replayKeys(
        file,
        index.blocks.filter((block) => wanted.has(block)),
        options,
      );
    } else recoverRaw(file, i === listed.length - 1, recovered, options);
  }
  for (const damage of recovered.damages) options.logger.error('log segment is damaged; the rest is served', { ...damage });
  return recovered;
}

/** Offsets go on from file to file; only after a segment without a single readable frame one is left out. */
function nameGap({ base, path: file }: SegmentFile, { segments, damages }: Recovered): void {
  const before = segments.at(-1);
  if (before === undefined || before.nextOffset >= base || before.damaged) return;
  damages.push({ file, fromByte: 0, toByte: 0, reason: `records ${before.nextOffset} to ${base - 1} before it are missing` });
}

/** Of a crash while sealing: the half-made file, or the raw one beside its finished successor. */
function removeLeftovers(directory: string, logger: Logger): void {
  for (const name of fs.readdirSync(directory)) {
    const file = path.join(directory, name);
    if (name.endsWith('.tmp')) fs.unlinkSync(file);
    if (!name.endsWith('.log') || !fs.existsSync(sealedPath(file))) continue;
    const sealed = { base: 0, sealed: true, path: sealedPath(file) };
    const spare = readIndex(sealed).damages.length > 0 ? sealed.path : file;
    logger.warn('removing one of two forms of a segment left by a crash', { file: spare });
    fs.unlinkSync(spare);
  }
}

function readIndex(file: SegmentFile) {
  const fd = fs.openSync(file.path, 'r');
  try {
    return { ...readSealedIndex(fd, file.path), bytes: fs.fstatSync(fd).size };
  } finally {
    fs.closeSync(fd);
  }
}

function sealedSegment(file: SegmentFile, index: ReturnType<typeof readIndex>): Segment {
  return {
    ...file,
    bytes: index.bytes,
    nextOffset: Math.max(file.base, index.nextOffset),
    nextEvent: index.nextEvent,
    maxTimestampMs: index.blocks.reduce((max, block) => Math.max(max, block.maxTimestampMs), -Infinity),
    createdAtMs: 0,
    damaged: index.damages.length > 0,
  };
}

/** The newest blocks that together hold the keys worth remembering. */
function newestKeyBlocks(segments: BlockInfo[][], maxKeys: number): Set<BlockInfo> {
  const wanted = new Set<BlockInfo>();
  let keys = 0;
  for (const blocks of segments.toReversed()) {
    for (const block of blocks.toReversed()) {
      if (keys >= maxKeys) return wanted;
      if (block.keys === 0) continue;
      wanted.add(block);
      keys += block.keys;
    }
  }
  return wanted;
}

function replayKeys(file: SegmentFile, blocks: readonly BlockInfo[], { onKey, logger }: RecoveryOptions): void {
  if (blocks.length === 0) return;
  const fd = fs.openSync(file.path, 'r');
  try {
    for (const block of blocks) {
      for (const entry of blockRecords(readBlockHead(fd, block))) {
        if (entry.idempotency) onKey(entry.idempotency, entry.count, entry.receivedAtMs);
      }
    }
  } catch (error) {
    if (!(error instanceof HeliosError)) throw error;
    logger.error('idempotency keys of a damaged block are lost', { file: file.path, reason: error.message });
  } finally {
    fs.closeSync(fd);
  }
}

function recoverRaw(file: SegmentFile, newest: boolean, recovered: Recovered, options: RecoveryOptions): void {
  const fd = options.files.open(file.path);
  try {
    const previous = recovered.segments.at(-1);
    const header = readSegmentHeader(fd, file.path);
    const segment = emptySegment(
      file.path,
      file.base,
      header?.firstEvent ?? previous?.nextEvent ?? 0,
      header?.createdAtMs ?? options.nowMs,
    );
    const { end, damages } = readFrames(fd, segment, newest, options);
    const { size } = fs.fstatSync(fd);
    const holdsFrames = segment.nextOffset > file.base;
    if (header === null && holdsFrames) {
      damages.unshift({ file: file.path, fromByte: 0, toByte: SEGMENT_HEADER_BYTES, reason: 'the segment header is damaged' });
    }
    // A crash while rolling leaves a part of the header; a whole file of garbage is something else.
    const isUnreadable = header === null && !holdsFrames;
    if (newest && isUnreadable && size <= SEGMENT_HEADER_BYTES) rewriteHeader(fd, segment, options);
    else if (newest && !isUnreadable && end < size) cutTail(fd, segment, end, size, options);
    else if (end < size) {
      const reason = 'no valid frame up to the end of the segment';
      damages.push({ file: file.path, fromByte: end, toByte: size, reason });
    }
    // Whole frames that a killed process had not synced yet are served from now on: they have to be durable too.
    if (newest) options.files.syncData(fd);
    segment.damaged = damages.length > 0;
    segment.bytes = fs.fstatSync(fd).size;
    recovered.segments.push(segment);
    recovered.damages.push(...damages);
  } finally {
    options.files.close(fd);
  }
}

/** Counts the frames of a raw segment up to `end`: the file's last frame, or where the torn batch of a crash has its first hole. */
function readFrames(
  fd: number,
  segment: Segment,
  newest: boolean,
  { onKey, expectedOffset }: RecoveryOptions,
): { end: number; damages: Damage[] } {
  const from = { position: SEGMENT_HEADER_BYTES, expected: segment.base };
  const cursor = new FrameCursor(fd, segment.path, from);
  let holes = 0;
  for (let frame = cursor.next(); frame; frame = cursor.next()) {
    const hole = cursor.damages[holes];
    if (hole) {
      holes++;
      const mayBeTorn = newest && segment.nextOffset >= expectedOffset;
      if (mayBeTorn && isRestOfLastCommit(frame, segment.nextOffset, new FrameCursor(fd, segment.path, cursor))) {
        return { end: hole.fromByte, damages: cursor.damages.slice(0, -1) };
      }
    }
    countFrame(segment, frame);
    if (frame.idempotency) onKey(frame.idempotency, frame.count, frame.receivedAtMs);
  }
  return { end: cursor.position, damages: [...cursor.damages] };
}

/**
 * Whether `frame`, the first one after a hole, and all `following` ones belong to one commit that began no later than at `missing`,
 * the offset that the hole begins with. A crash leaves that of the last commit: the disk wrote later pages of it and not
 * earlier ones, and nobody was told that it is durable. A hole in anything older has a later commit behind it: that is damage.
 */
function isRestOfLastCommit({ position: { offset }, commitIndex }: Frame, missing: number, following: FrameCursor): boolean {
  const first = offset - commitIndex;
  if (first > missing || missing >= offset) return false;
  for (let frame = following.next(); frame; frame = following.next()) {
    if (frame.position.offset - frame.commitIndex !== first) return false;
  }
  return true;
}

/** A crash while rolling: the file was made but nothing in it was ever acknowledged. Its name says where it begins. */
function rewriteHeader(fd: number, segment: Segment, { files }: RecoveryOptions): void {
  files.truncate(fd, 0);
  files.writev(
    fd,
    [encodeSegmentHeader({ base: segment.base, firstEvent: segment.nextEvent, createdAtMs: segment.createdAtMs })],
    0,
  );
}

/** A tail of zeros alone was written ahead: it is not worth a word. */
function cutTail(fd: number, segment: Segment, end: number, size: number, { files, logger }: RecoveryOptions): void {
  const tail = { file: segment.path, fromByte: end, bytes: size - end };
  if (!isZeroFilled(fd, end, size)) logger.warn('cutting a torn tail that was never acknowledged', tail);
  files.truncate(fd, end);
}

function isZeroFilled(fd: number, from: number, to: number): boolean {
  const buffer = Buffer.alloc(64 * 1024);
  const zeros = Buffer.alloc(buffer.length);
  for (let at = from; at < to;) {
    const read = fs.readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at);
    if (buffer.compare(zeros, 0, read, 0, read) !== 0) return false;
    at += Math.max(1, read);
  }
  return true;
}
