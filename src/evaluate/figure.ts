import type { Prng } from '../lib/prng.ts';
import { bootstrapInterval, poissonInterval, wilsonInterval } from './protocol-interval.ts';

/** One measured value with its 95 % interval. NaN where there was nothing to measure. */
export interface Figure {
  measure: string;
  value: number;
  low: number;
  high: number;
  n: number;
  /** What `n` counts. */
  of: string;
}

export const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A share of `trials`, Wilson interval. */
export function shareFigure(measure: string, successes: number, trials: number, of: string): Figure {
  const [low, high] = wilsonInterval(successes, trials);
  return { measure, value: successes / trials, low, high, n: trials, of };
}

/** A count over an exposure (days, series); exact Poisson interval. */
export function rateFigure(measure: string, count: number, exposure: number, of: string): Figure {
  const [low, high] = poissonInterval(count, exposure);
  return { measure, value: exposure > 0 ? count / exposure : NaN, low, high, n: count, of };
}

/** A mean, bootstrapped over its values; values that are not numbers are left out. */
export function meanFigure(measure: string, values: readonly number[], of: string, prng: Prng): Figure {
  return statisticFigure({ measure, items: values.filter((value) => !Number.isNaN(value)), statistic: meanOf, of, prng });
}

/** Any statistic, bootstrapped over its items. */
export function statisticFigure<T>(options: {
  measure: string;
  items: readonly T[];
  statistic: (items: readonly T[]) => number;
  of: string;
  prng: Prng;
}): Figure {
  const { measure, items, statistic, of, prng } = options;
  const [low, high] = bootstrapInterval(items, statistic, prng);
  return { measure, value: items.length === 0 ? NaN : statistic(items), low, high, n: items.length, of };
}
