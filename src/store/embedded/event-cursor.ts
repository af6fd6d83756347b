import { decodeCursor, encodeCursor, goneCursor, malformedCursor } from '../cursor.ts';

/**
 * Where a page of events begins, by place: the number of events that the log had taken before an event. A place stays what
 * it is when a segment is sealed and its records are regrouped into other blocks.
 */
export interface EventCursor {
  /** The page holds events before (timeMs, place), in order of time and then of place. Milliseconds since the epoch. */
  timeMs: number;
  place: number;
  /** End of the log when the first page was read; later events do not appear, so that pages never shift. */
  endPlace: number;
}

/** Larger than any place. */
export const LAST_PLACE = Number.MAX_SAFE_INTEGER;

export function encodeEventCursor({ timeMs, place, endPlace }: EventCursor): string {
  return encodeCursor([timeMs, place, endPlace]);
}

export function decodeEventCursor(cursor: string): EventCursor {
  const [timeMs, place, endPlace] = decodeCursor(cursor, ['number', 'number', 'number']);
  const arePlaces = [place, endPlace].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!arePlaces || !Number.isFinite(timeMs)) throw malformedCursor();
  return { timeMs, place, endPlace };
}

/** Throws `gone` when retention has passed what the cursor points at; `firstPlace` is the first place left. */
export function checkKept({ place, endPlace }: EventCursor, firstPlace: number): void {
  if (place >= firstPlace && endPlace > firstPlace) return;
  throw goneCursor();
}
