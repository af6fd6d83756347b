import type { Prng } from '../lib/prng.ts';

/** Protocol of the evaluation, item 11: 95 % intervals. */
export type Interval = readonly [low: number, high: number];

const RESAMPLES = 1000;
const Z_95 = 1.959963984540054;
const TAIL = 0.025;

/** Percentile bootstrap (Efron, 1979) of a statistic of `items`; samples on which it is not a number are left out. */
export function bootstrapInterval<T>(
  items: readonly T[],
  statistic: (sample: readonly T[]) => number,
  prng: Prng,
  resamples = RESAMPLES,
): Interval {
  if (items.length === 0) return [NaN, NaN];
  const sample = items.slice();
  const values: number[] = [];
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < sample.length; i++) sample[i] = items[prng.below(items.length)] as T;
    const value = statistic(sample);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  if (values.length === 0) return [NaN, NaN];
  const at = (q: number): number => values[Math.min(values.length - 1, Math.floor(q * values.length))] as number;
  return [at(TAIL), at(1 - TAIL)];
}

/** Score interval of a proportion (Wilson, JASA 1927). */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return [NaN, NaN];
  const p = successes / trials;
  const z2 = Z_95 * Z_95;
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (Z_95 * Math.sqrt((p * (1 - p)) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** P(X <= count) of a Poisson variable. */
function poissonCdf(count: number, mean: number): number {
  let term = Math.exp(-mean);
  let sum = term;
  for (let k = 1; k <= count; k++) sum += term *= mean / k;
  return sum;
}

/** The mean at which P(X <= count) falls to `share`; by halving. */
function poissonMean(count: number, share: number): number {
  let low = 0;
  let high = count + 10 * Math.sqrt(count + 1) + 10;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (poissonCdf(count, middle) > share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Exact interval of a rate from a count of events over an exposure (Garwood, Biometrika 1936); says how sure a zero is. */
export function poissonInterval(count: number, exposure: number): Interval {
  if (!(exposure > 0)) return [NaN, NaN];
  // exp(-mean) underflows near 700; there the count is normal.
  if (count > 500) return [(count - Z_95 * Math.sqrt(count)) / exposure, (count + Z_95 * Math.sqrt(count)) / exposure];
  const low = count === 0 ? 0 : poissonMean(count - 1, 1 - TAIL);
  return [low / exposure, poissonMean(count, TAIL) / exposure];
}
