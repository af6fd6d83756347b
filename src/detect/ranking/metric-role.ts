import { finiteSorted, quantile } from './change-score.ts';

/**
 * What a series measures, as far as it matters for what is worse and what adds up:
 * `duration` time in which calls are served; `client-duration` time waited for callees, which must be declared: it is their
 * time, so it is not followed down the calls; `success` share of calls that succeed; `failure` share that fails; `count` calls or events per
 * row; `gauge` anything else.
 */
export type MetricRole = 'duration' | 'client-duration' | 'success' | 'failure' | 'count' | 'gauge';

/** Units of time in UCUM, which OTLP and OpenMetrics use. */
const TIME_UNITS = new Set(['s', 'ms', 'us', 'ns', 'seconds', 'milliseconds']);
const COUNT_UNIT = /^\{.*\}$/;
/** Most services succeed most of the time: in at least half of the rows at least this share of calls. */
const HEALTHY = 0.9;

/**
 * The role by the declared unit, and where that says too little by how the normal values behave; undefined when neither says
 * anything. Names are never read. `normal`: values in the normal window, NaN = missing.
 */
export function roleOf(unit: string | undefined, normal: ArrayLike<number>): MetricRole | undefined {
  if (unit !== undefined && TIME_UNITS.has(unit)) return 'duration';
  if (unit !== undefined && COUNT_UNIT.test(unit)) return 'count';
  const sorted = finiteSorted(normal);
  const lowest = sorted[0] ?? NaN;
  const ceiling = sorted.at(-1) ?? NaN;
  const high = quantile(sorted, 0.5) >= HEALTHY * (ceiling > 1 ? 100 : 1);
  const declared = unit === '%' || (unit === '1' && ceiling <= 1);
  if (high && lowest >= 0 && ceiling <= 100 && (declared || ceiling === 1 || ceiling === 100)) {
    if (declared) return 'success';
    if (unit === undefined) return lowest < ceiling ? 'success' : undefined;
  }
  if (unit !== undefined && unit !== '1') return 'gauge';
  if (sorted.length === 0 || lowest === ceiling) return undefined;
  return lowest >= 0 && sorted.every(Number.isInteger) ? 'count' : 'gauge';
}

/** Whether a move in this direction makes a service worse; a gauge or a count may be bad both ways. */
export function isWorse(role: MetricRole, direction: 'up' | 'down'): boolean {
  if (role === 'success') return direction === 'down';
  return role === 'gauge' || role === 'count' || direction === 'up';
}
