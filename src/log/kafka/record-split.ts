import type { HeliosError } from '../../lib/errors.ts';
import type { RecordPart } from '../event-log.ts';
import type { QueuedRecord } from './partition-queue.ts';
import type { OutgoingRecord } from './produce-link.ts';
import { encodeRecordHeaders, HEAD_BYTES, PART_BYTES, type RecordHead } from './record-codec.ts';

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

export interface SplittableRecord extends Pick<OutgoingRecord, 'value'> {
  parts: readonly RecordPart[];
  hasKeys: boolean;
}

type SplitHead = Pick<RecordHead, 'clientId' | 'receivedAtMs' | 'minTimestampMs' | 'maxTimestampMs'>;

/** Whom a record's pieces answer to. */
type Whole = Pick<QueuedRecord, 'acknowledged' | 'refused'>;

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

/** The two halves of a single part, cut between lines. */
function halveLines({ value, parts }: SplittableRecord): [RecordPart, RecordPart] | null {
  const part = parts[0] as RecordPart;
  const at = middleOf(value);
  const [first, second] = part.keyHash === '' ? [0, 0] : [halfOf(part.chunk, false), halfOf(part.chunk, true)];
  if (at <= 0 || first === null || second === null) return null;
  const events = linesIn(value.subarray(0, at));
  return [
    { ...part, chunk: first, events, bytes: at },
    { ...part, chunk: second, events: part.events - events, bytes: part.bytes - at },
  ];
}

/**
 * Two records that say what one says: cut between parts while there are several, then between lines; null for a single line. A
 * request that comes again is cut in the same places, so that its pieces are recognised.
 */
export function splitLines(whole: SplittableRecord, head: SplitHead, owner: Whole): QueuedRecord[] | null {
  const { parts, value, hasKeys } = whole;
  const middle = parts.length >> 1;
  const halves = parts.length > 1 ? [parts.slice(0, middle), parts.slice(middle)] : halveLines(whole)?.map((part) => [part]);
  if (!halves) return null;
  const family = new Family(owner, halves.length);
  let end = 0;
  return halves.map((half, i) => {
    const start = end;
    end += half.reduce((sum, { bytes }) => sum + bytes, 0);
    return new Piece({ value: value.subarray(start, end), parts: half, hasKeys }, head, family.member(i));
  });
}

/** Tells the owner of several records once all of them have ended. */
class Family {
  readonly #owner: Whole;
  #left: number;
  #offset = -1;
  #error: HeliosError | null = null;

  constructor(owner: Whole, size: number) {
    this.#owner = owner;
    this.#left = size;
  }

  member(index: number): Whole {
    return {
      acknowledged: (offset) => {
        if (index === 0) this.#offset = offset;
        this.#ended();
      },
      refused: (error) => {
        this.#error = error;
        this.#ended();
      },
    };
  }

  #ended(): void {
    if (--this.#left > 0) return;
    if (this.#error) this.#owner.refused(this.#error);
    else this.#owner.acknowledged(this.#offset);
  }
}

class Piece implements QueuedRecord {
  readonly #record: SplittableRecord;
  readonly #head: SplitHead;
  readonly #owner: Whole;
  readonly events: number;
  readonly bytes: number;

  constructor(record: SplittableRecord, head: SplitHead, owner: Whole) {
    this.#record = record;
    this.#head = head;
    this.#owner = owner;
    this.events = record.parts.reduce((sum, { events }) => sum + events, 0);
    this.bytes = record.value.length + HEAD_BYTES + record.parts.length * PART_BYTES;
  }

  encode(): OutgoingRecord {
    const { value, parts, hasKeys } = this.#record;
    const head = { ...this.#head, count: this.events, ...(hasKeys ? { parts } : {}) };
    return { value, headers: encodeRecordHeaders(head), timestampMs: this.#head.receivedAtMs };
  }

  acknowledged(offset: number): void {
    this.#owner.acknowledged(offset);
  }

  refused(error: HeliosError): void {
    this.#owner.refused(error);
  }

  split(): QueuedRecord[] | null {
    return splitLines(this.#record, this.#head, this);
  }
}
