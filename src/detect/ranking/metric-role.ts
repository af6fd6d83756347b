import { finiteSorted, quantile } from './change-score.ts';

/**
 * What a series measures, as far as it matters for what is worse and what adds up:
 * `duration` seconds a call takes; `success` share of calls that succeed; `failure` share that fails; `count` calls or events per
 * row; `gauge` anything else.
 */
export type MetricRole = 'duration' | 'success' | 'failure' | 'count' | 'gauge';

/** Units of time in UCUM, which OTLP and OpenMetrics use. */
const TIME_UNITS = new Set(['s', 'ms', 'us', 'ns', 'seconds', 'milliseconds']);
const COUNT_UNIT = /^\{.*\}$/;
/** A success share rests at its ceiling; a failure share at zero. */
const AT_REST = 0.5;

/**
 * The role by the declared unit, and where that says too little by how the normal values behave. Names are never read.
 * `normal`: values in the normal window, NaN = missing.
 */
export function roleOf(unit: string | undefined, normal: ArrayLike<number>): MetricRole {
  if (unit !== undefined && TIME_UNITS.has(unit)) return 'duration';
  if (unit !== undefined && COUNT_UNIT.test(unit)) return 'count';
  const sorted = finiteSorted(normal);
  if (sorted.length === 0) return 'gauge';
  const ceiling = sorted.at(-1) as number;
  const isShare = (sorted[0] as number) >= 0 && (ceiling === 1 || ceiling === 100);
  if (isShare && quantile(sorted, 1 - AT_REST) === ceiling && (unit === '%' || unit === '1' || (sorted[0] as number) < ceiling)) {
    return 'success';
  }
  if (unit !== undefined && unit !== '1') return 'gauge';
  const whole = sorted.every((value) => value >= 0 && Number.isInteger(value));
  return whole && ceiling > 1 ? 'count' : 'gauge';
}

/** Whether a move in this direction makes a service worse; a gauge or a count may be bad both ways. */
export function isWorse(role: MetricRole, direction: 'up' | 'down'): boolean {
  if (role === 'success') return direction === 'down';
  return role === 'duration' || role === 'failure' ? direction === 'up' : true;
}
