/** Points of one series in one blob: 32 bits count, then times, values and starts as columns (`metric-column.ts`). */
import { HeliosError } from '../../lib/errors.ts';
import { BitReader, BitWriter } from '../rollup/bit-stream.ts';
import { readColumn, writeColumn } from './metric-column.ts';
import type { PointList } from '../point-list.ts';

const COUNT_BITS = 32;
/** More than a block ever holds: a damaged count must not take all memory. */
const MAX_POINTS = 2 ** 26;

const out = new BitWriter();
const input = new BitReader();

/** The points, ascending by time and at least one; the blob is valid until the next call. */
export function encodeChunk(points: PointList): Uint8Array {
  out.reset();
  out.write(points.count, COUNT_BITS);
  writeColumn(out, points.times, points.count);
  writeColumn(out, points.values, points.count);
  writeColumn(out, points.starts, points.count);
  return out.finish();
}

/** Appends the points of a blob to `target`; returns how many. */
export function decodeChunk(blob: Uint8Array, target: PointList): number {
  input.load(blob);
  const count = input.read(COUNT_BITS);
  if (count === 0 || count > MAX_POINTS) throw new HeliosError('corrupt_data', 'cannot read a chunk of points: bad count');
  target.reserve(count);
  readColumn(input, target.times, target.count, count);
  readColumn(input, target.values, target.count, count);
  readColumn(input, target.starts, target.count, count);
  target.count += count;
  return count;
}
