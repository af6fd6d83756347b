import { decodeCursor, encodeCursor, goneCursor, malformedCursor } from '../cursor.ts';

/** A place in the order of events: time, then partition, then position in the log. Microseconds since the epoch. */
export interface EventPosition {
  micros: number;
  partition: number;
  /** A bigint as text. */
  position: string;
}

/**
 * Where a page of events begins, and which events it may show: those that were stored when the first page was read.
 *
 * A commit moves `next_offset` of its partition in the transaction that stores the rows. So in the snapshot of the first page the rows of a
 * partition that were stored are exactly those below its `next_offset`, and whatever is committed later, however old its events are, lies at
 * or above it. A bound by time could not tell: events come late, and commits of several writers do not become visible in the order of any clock.
 */
export interface EventCursor {
  /** The page holds events before it. */
  before: EventPosition;
  /** `next_offset` by partition; -1 for one that was not there. */
  bounds: readonly number[];
}

/** Before every event at this time. */
export function beforeTime(micros: number): EventPosition {
  return { micros, partition: -1, position: '0' };
}

const BOUNDS = /^(-1|[0-9a-z]{1,11})(,(-1|[0-9a-z]{1,11}))*$/;

export function encodeEventCursor({ before, bounds }: EventCursor): string {
  return encodeCursor([before.micros, before.partition, before.position, bounds.map((bound) => bound.toString(36)).join(',')]);
}

/** `invalid_argument` when malformed. */
export function decodeEventCursor(cursor: string): EventCursor {
  const [micros, partition, position, text] = decodeCursor(cursor, ['number', 'number', 'string', 'string']);
  const isPlace = Number.isSafeInteger(micros) && Number.isInteger(partition) && partition >= -1 && partition < 2 ** 15;
  if (!isPlace || !/^\d{1,18}$/.test(position) || !BOUNDS.test(text)) throw malformedCursor();
  const bounds = text.split(',').map((bound) => parseInt(bound, 36));
  if (!bounds.every(Number.isSafeInteger)) throw malformedCursor();
  return { before: { micros, partition, position }, bounds };
}

/** Throws `gone` when retention has passed what the cursor points at; `oldestMicros` is null when no event is left. */
export function checkKept({ before }: EventCursor, oldestMicros: number | null): void {
  if (oldestMicros !== null && before.micros >= oldestMicros) return;
  throw goneCursor();
}
