import type { Prng } from '../lib/prng.ts';
import { bootstrapInterval, poissonInterval, wilsonInterval } from './protocol-interval.ts';
import { rankQuantile } from './protocol-matching.ts';

/** Numerator and denominator of one incident, entity or series, and how many are alike. */
export type Part = readonly [numerator: number, denominator: number, times: number];

/** What a figure is made of, so that runs and sets can be pooled and resampled without being run again. */
export interface FigureParts {
  /** `share` and `rate` have exact intervals, `ratio` is a sum over a sum, `quantile` one of the numerators. */
  kind: 'share' | 'rate' | 'ratio' | 'quantile';
  quantile?: number;
  items: readonly Part[];
}

/** One measured value with its 95 % interval. NaN where there was nothing to measure. */
export interface Figure {
  measure: string;
  value: number;
  low: number;
  high: number;
  n: number;
  /** What `n` counts. */
  of: string;
  parts?: FigureParts;
}

export const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

type Pair = readonly [numerator: number, denominator: number];

export function ratioOf(items: readonly Pair[]): number {
  let [numerator, denominator] = [0, 0];
  for (const item of items) {
    numerator += item[0];
    denominator += item[1];
  }
  return denominator === 0 ? NaN : numerator / denominator;
}

function counted(items: readonly Pair[]): Part[] {
  const groups = new Map<string, [number, number, number]>();
  for (const [numerator, denominator] of items) {
    const key = `${numerator}/${denominator}`;
    const known = groups.get(key);
    if (known) known[2]++;
    else groups.set(key, [numerator, denominator, 1]);
  }
  return [...groups.values()];
}

/** A share of `trials`, Wilson interval. */
export function shareFigure(measure: string, successes: number, trials: number, of: string): Figure {
  const [low, high] = wilsonInterval(successes, trials);
  const items = (
    [
      [1, 1, successes],
      [0, 1, trials - successes],
    ] as const
  ).filter(([, , times]) => times > 0);
  return { measure, value: successes / trials, low, high, n: trials, of, parts: { kind: 'share', items } };
}

/** A count over an exposure (days, series); exact Poisson interval. */
export function rateFigure(measure: string, count: number, exposure: number, of: string): Figure {
  const [low, high] = poissonInterval(count, exposure);
  const value = exposure > 0 ? count / exposure : NaN;
  return { measure, value, low, high, n: count, of, parts: { kind: 'rate', items: [[count, exposure, 1]] } };
}

/** A mean, bootstrapped over its values; values that are not numbers are left out. */
export function meanFigure(measure: string, values: readonly number[], of: string, prng: Prng): Figure {
  const items = values.filter((value) => !Number.isNaN(value)).map((value): Pair => [value, 1]);
  return ratioFigure({ measure, items, of, prng });
}

/** A sum over a sum, bootstrapped over the items that add to them. F1 is 2 matched / (2 matched + false + missed). */
export function ratioFigure(options: { measure: string; items: readonly Pair[]; of: string; prng: Prng }): Figure {
  const { measure, items, of, prng } = options;
  const [low, high] = bootstrapInterval(items, ratioOf, prng);
  return { measure, value: ratioOf(items), low, high, n: items.length, of, parts: { kind: 'ratio', items: counted(items) } };
}

/** A nearest-rank quantile of values of which some may be infinite, bootstrapped over them. */
export function quantileFigure(options: {
  measure: string;
  values: readonly number[];
  quantile: number;
  of: string;
  prng: Prng;
}): Figure {
  const { measure, values, quantile, of, prng } = options;
  const [low, high] = bootstrapInterval(values, (sample) => rankQuantile(sample, quantile), prng);
  const items = counted(values.map((value) => [value, 1]));
  const value = rankQuantile(values, quantile);
  return { measure, value, low, high, n: values.length, of, parts: { kind: 'quantile', quantile, items } };
}
