import { ratioOf, type Figure, type FigureParts, type Part } from '../src/evaluate/figure.ts';
import { poissonInterval, wilsonInterval, type Interval } from '../src/evaluate/protocol-interval.ts';
import { rankQuantile } from '../src/evaluate/protocol-matching.ts';
import { createPrng } from '../src/lib/prng.ts';

/** One measure over all seeds (and over all sets that were pooled). */
export interface PooledFigure {
  /** Mean over seeds. */
  value: number;
  low: number;
  high: number;
  /** Smallest and largest value of a seed. */
  smallest: number;
  largest: number;
  seeds: number;
  n: number;
  of: string;
}

const RESAMPLES = 1000;
const TAIL = 0.025;
const BOOTSTRAP_SEED = 20_260_102;

type Pair = readonly [numerator: number, denominator: number];

const expanded = (items: readonly Part[]): Pair[] =>
  items.flatMap(([numerator, denominator, times]) => Array.from({ length: times }, (): Pair => [numerator, denominator]));

function statistic({ kind, quantile = 0.5 }: FigureParts, items: readonly Pair[]): number {
  if (kind !== 'quantile') return ratioOf(items);
  return rankQuantile(
    items.map(([value]) => value),
    quantile,
  );
}

const sumOf = (items: readonly Part[], at: 0 | 1): number => items.reduce((sum, part) => sum + part[at] * part[2], 0);

/** Figures of one measure over several sets, as if they were one set. */
export function joinSets(figures: readonly Figure[]): Figure | undefined {
  const [first] = figures;
  if (!first?.parts || figures.length === 1) return first;
  const parts = { ...first.parts, items: figures.flatMap((figure) => figure.parts?.items ?? []) };
  const n = figures.reduce((sum, figure) => sum + figure.n, 0);
  return { ...first, value: statistic(parts, expanded(parts.items)), n, parts };
}

/** Resamples of as many items as one seed has, so that seeds do not count as further incidents; drawn from all of them. */
function resampled(parts: FigureParts, items: readonly Pair[], size: number): Interval {
  const prng = createPrng(BOOTSTRAP_SEED);
  const sample: Pair[] = Array.from({ length: size });
  const values: number[] = [];
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < size; i++) sample[i] = items[prng.below(items.length)] as Pair;
    const value = statistic(parts, sample);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  const at = (q: number): number => values[Math.min(values.length - 1, Math.floor(q * values.length))] ?? NaN;
  return [at(TAIL), at(1 - TAIL)];
}

function intervalOf(parts: FigureParts, perSeed: readonly (readonly Part[])[]): Interval {
  const seeds = perSeed.length;
  const all = perSeed.flat();
  const [numerator, denominator] = [sumOf(all, 0) / seeds, sumOf(all, 1) / seeds];
  // Counts of false alarms say nothing on resampling when there are none.
  if (parts.kind === 'rate') {
    return [poissonInterval(Math.floor(numerator), denominator)[0], poissonInterval(Math.ceil(numerator), denominator)[1]];
  }
  const items = expanded(all);
  const interval = resampled(parts, items, Math.round(items.length / seeds));
  // Resampling hits alone, or misses alone, would claim certainty.
  return parts.kind === 'share' && interval[0] === interval[1] ? wilsonInterval(numerator, denominator) : interval;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One figure of each seed, together. */
export function poolSeeds(figures: readonly Figure[]): PooledFigure | undefined {
  const [first] = figures;
  if (!first) return undefined;
  const values = figures.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  const perSeed = figures.flatMap(({ parts }) => (parts && parts.items.length > 0 ? [parts.items] : []));
  const [low, high] = first.parts && perSeed.length > 0 ? intervalOf(first.parts, perSeed) : [NaN, NaN];
  return {
    value: first.parts?.kind === 'quantile' ? rankQuantile(values, 0.5) : mean(values),
    low,
    high,
    smallest: Math.min(...values),
    largest: Math.max(...values),
    seeds: figures.length,
    n: Math.round(mean(figures.map(({ n }) => n))),
    of: first.of,
  };
}
