import type { HeliosError } from '../../lib/errors.ts';
import type { QueuedRecord } from './partition-queue.ts';
import type { OutgoingRecord } from './produce-link.ts';
import { HEAD_BYTES, PART_BYTES } from './record-codec.ts';
import { segmentHeaders, type LinesHead, type Segment, type SegmentOwner } from './segment.ts';

const NEWLINE = 10;
/** A chunk's number is in its low bits; the high ones say which half of which half of the chunk a piece is, 0 for all of it. */
const CHUNK_BITS = 10;
const MAX_PATH = 63;

/** Most chunks of one request in one partition. */
export const MAX_CHUNKS = 1 << CHUNK_BITS;

/** Number of a chunk's first or second half; null when it has been halved too often. The same for everyone who halves it. */
function halfOf(chunk: number, second: boolean): number | null {
  const path = 2 * Math.max(1, chunk >> CHUNK_BITS) + (second ? 1 : 0);
  return path > MAX_PATH ? null : (path << CHUNK_BITS) | (chunk & (MAX_CHUNKS - 1));
}

export interface SplittableRecord {
  partition: number;
  value: Buffer;
  segments: readonly Segment[];
  head: LinesHead;
  /** Called when nothing of `value` is needed any more. */
  onEnd: () => void;
}

/** Index after the line that ends nearest behind the middle, or 0 when there is one line only. */
function middleOf(bytes: Uint8Array): number {
  const after = bytes.indexOf(NEWLINE, bytes.length >> 1) + 1;
  if (after > 0 && after < bytes.length) return after;
  return bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

/** Tells the owner of a segment that was cut once all of its pieces have ended. */
class CutSegment implements SegmentOwner {
  readonly #segment: Segment;
  #left = 2;
  #offset = -1;

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  acknowledge(piece: number, partition: number, offset: number): void {
    if (piece === 0) this.#offset = offset;
    if (--this.#left === 0) this.#segment.owner.acknowledge(this.#segment.part, partition, this.#offset);
  }

  refuse(error: HeliosError): void {
    this.#segment.owner.refuse(error);
  }
}

/** The two halves of a segment, cut between lines; null when there is only one, or it has been cut too often. */
function cutSegment(segment: Segment, value: Uint8Array): [Segment, Segment] | null {
  const at = middleOf(value);
  const isKeyed = segment.keyHash !== '';
  const [first, second] = isKeyed ? [halfOf(segment.chunk, false), halfOf(segment.chunk, true)] : [0, 0];
  if (at <= 0 || first === null || second === null) return null;
  const events = linesIn(value.subarray(0, at));
  const owner = new CutSegment(segment);
  return [
    { ...segment, owner, part: 0, chunk: first, events, bytes: at },
    { ...segment, owner, part: 1, chunk: second, events: segment.events - events, bytes: segment.bytes - at },
  ];
}

/**
 * Two records that say what one says: cut between appends while there are several, then between lines; null for a single line. A
 * request that comes again is cut in the same places, so that its pieces are recognised.
 */
export function splitRecord(whole: SplittableRecord): QueuedRecord[] | null {
  const { segments, value } = whole;
  const middle = segments.length >> 1;
  const halves =
    segments.length > 1
      ? [segments.slice(0, middle), segments.slice(middle)]
      : cutSegment(segments[0] as Segment, value)?.map((segment) => [segment]);
  if (!halves) return null;
  let left = halves.length;
  const onEnd = (): void => {
    if (--left === 0) whole.onEnd();
  };
  let end = 0;
  return halves.map((half) => {
    const start = end;
    end += half.reduce((sum, { bytes }) => sum + bytes, 0);
    return new Piece({ ...whole, value: value.subarray(start, end), segments: half, onEnd });
  });
}

class Piece implements QueuedRecord {
  readonly #record: SplittableRecord;
  readonly events: number;
  readonly bytes: number;

  constructor(record: SplittableRecord) {
    this.#record = record;
    this.events = record.segments.reduce((sum, { events }) => sum + events, 0);
    this.bytes = record.value.length + HEAD_BYTES + record.segments.length * PART_BYTES;
  }

  encode(): OutgoingRecord {
    const { value, segments, head } = this.#record;
    return { value, headers: segmentHeaders(segments, head) };
  }

  acknowledged(offset: number): void {
    const { segments, partition, onEnd } = this.#record;
    onEnd();
    for (const { owner, part } of segments) owner.acknowledge(part, partition, offset);
  }

  refused(error: HeliosError): void {
    this.#record.onEnd();
    for (const { owner } of this.#record.segments) owner.refuse(error);
  }

  split(): QueuedRecord[] | null {
    return splitRecord(this.#record);
  }
}
