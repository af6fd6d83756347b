import { HeliosError } from '../lib/errors.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';

/** The buckets of a query: `count` of them, `stepMs` wide, the first starting at `originMs`. */
export interface BucketGrid {
  originMs: number;
  stepMs: number;
  count: number;
}

function invalid(field: string, reason: string): HeliosError {
  return new HeliosError('invalid_argument', `cannot answer the query: ${field} ${reason}`, { details: { field } });
}

/**
 * The buckets that cover [fromMs, toMs): multiples of the step since the epoch, the range widened to whole ones.
 * A range exactly one step wide that starts on a 10 s boundary is one bucket as asked, wherever it starts: that is how a
 * detection window is reproduced. `invalid_argument` names the field at fault.
 */
export function bucketGrid(fromMs: number, toMs: number, stepMs: number): BucketGrid {
  if (!Number.isFinite(fromMs)) throw invalid('from', 'is not a time');
  if (!Number.isFinite(toMs) || toMs <= fromMs) throw invalid('to', 'is not a time after from');
  if (!(stepMs > 0) || stepMs % SUB_WINDOW_MS !== 0) throw invalid('step', 'is not a multiple of 10s');
  if (toMs - fromMs === stepMs && fromMs % SUB_WINDOW_MS === 0) return { originMs: fromMs, stepMs, count: 1 };
  const originMs = Math.floor(fromMs / stepMs) * stepMs;
  return { originMs, stepMs, count: Math.ceil((toMs - originMs) / stepMs) };
}

export function checkPoints(points: number, limit: number): void {
  if (points <= limit) return;
  throw invalid(
    'step',
    `is too small: ${points} points, the limit is ${limit}; take a larger step, a shorter range or fewer names`,
  );
}

/** A query for which more than `maxPoints` points would have to be read; field "from". */
export function tooManyPoints(maxPoints: number): HeliosError {
  return invalid(
    'from',
    `is too early: more than ${maxPoints} points would have to be read; take a shorter range or fewer series`,
  );
}
