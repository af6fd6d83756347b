import type { Frame } from './frame.ts';
import { SEGMENT_HEADER_BYTES, type SegmentFile } from './segment-file.ts';

/** What the writer knows of a segment file. */
export interface Segment extends SegmentFile {
  bytes: number;
  /** Offset after its last record, and number of events in the log up to there. */
  nextOffset: number;
  nextEvent: number;
  /** -Infinity while it holds no event. */
  maxTimestampMs: number;
  createdAtMs: number;
  /** Not every byte could be read; such a segment is left as it is. */
  damaged: boolean;
}

export function emptySegment(path: string, base: number, firstEvent: number, createdAtMs: number): Segment {
  return {
    base,
    path,
    sealed: false,
    bytes: SEGMENT_HEADER_BYTES,
    nextOffset: base,
    nextEvent: firstEvent,
    maxTimestampMs: -Infinity,
    createdAtMs,
    damaged: false,
  };
}

/** Accounts for a frame that a scan found. */
export function countFrame(segment: Segment, frame: Frame): void {
  segment.nextOffset = frame.position.offset + 1;
  segment.nextEvent = frame.firstEvent + frame.count;
  segment.maxTimestampMs = Math.max(segment.maxTimestampMs, frame.maxTimestampMs);
}
