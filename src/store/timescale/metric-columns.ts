import { assert } from '../../lib/assert.ts';
import type { PointList } from '../point-list.ts';
import type { Row } from './database.ts';
import { readTime } from './metric-time.ts';

/**
 * Columns of a series' points as PostgreSQL's binary arrays: they cost a third of what rows cost to send and to read. The rows below
 * have to come in order.
 */
export const POINT_COLUMNS =
  'array_send(array_agg(time)) AS times, array_send(array_agg(value)) AS values, array_send(array_agg(start_ms)) AS starts';

/** Dimensions, flags and type; length and lower bound of the one dimension (array_send in PostgreSQL's arrayfuncs.c). */
const HEADER_BYTES = 20;
const LENGTH_AT = 12;
const NULL_LENGTH = -1;
const FIELD_BYTES = 8;

/** Calls `visit` for the field of each element, -1 for one that is null; returns how many there are. */
function readArray(bytes: Uint8Array, visit: (view: DataView, at: number) => void): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getInt32(LENGTH_AT);
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const isNull = view.getInt32(at) === NULL_LENGTH;
    visit(view, isNull ? -1 : at + 4);
    at += isNull ? 4 : 4 + FIELD_BYTES;
  }
  return count;
}

/** Adds the points of a row with POINT_COLUMNS. */
export function readColumns(row: Row, points: PointList): void {
  const from = points.count;
  const { times, values, starts } = row as Record<string, Uint8Array>;
  assert(times !== undefined && values !== undefined && starts !== undefined, 'the columns of points are selected');
  const count = readArray(times, (view, at) => points.push(readTime(view, at), 0, NaN));
  let next = from;
  readArray(values, (view, at) => void (points.values[next++] = view.getFloat64(at)));
  next = from;
  readArray(starts, (view, at) => void (points.starts[next++] = at < 0 ? NaN : view.getFloat64(at)));
  assert(next === from + count, 'columns of points have one length');
}
