import { HeliosError } from '../../lib/errors.ts';
import { decodeCursor, encodeCursor, malformedCursor } from './cursor.ts';

/** Where the next page of events begins. */
export interface EventCursor {
  /** It holds events at this time and before, milliseconds since the epoch. */
  timeMs: number;
  /**
   * How many matching events at exactly `timeMs`, latest log position first, earlier pages hold. A count and not a
   * position, because sealing a segment regroups its records into other blocks.
   */
  skip: number;
  /** Log offset below which the first page looked; later events do not appear, so that pages never shift. */
  endOffset: number;
  /** Log offset of the block that the last page ended in. */
  blockOffset: number;
}

const FIELDS = ['number', 'number', 'number', 'number'] as const;

export function encodeEventCursor({ timeMs, skip, endOffset, blockOffset }: EventCursor): string {
  return encodeCursor([timeMs, skip, endOffset, blockOffset]);
}

/** `gone` when retention has passed what the cursor points at (`firstOffset` is the first offset left). */
export function decodeEventCursor(cursor: string, firstOffset: number): EventCursor {
  const [timeMs, skip, endOffset, blockOffset] = decodeCursor(cursor, FIELDS);
  const areCounts = [skip, endOffset, blockOffset].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!areCounts || !Number.isFinite(timeMs)) throw malformedCursor();
  if (endOffset <= firstOffset || blockOffset < firstOffset) {
    throw new HeliosError('gone', 'cannot go on from this cursor: retention has removed what it points at', {
      details: { field: 'cursor' },
    });
  }
  return { timeMs, skip, endOffset, blockOffset };
}
