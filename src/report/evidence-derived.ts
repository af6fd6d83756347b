import type { Evidence } from '../model/report.ts';
import type { Fact, FactMeta, NumberFact } from './evidence.ts';
import { isoTime } from '../lib/clock.ts';
import { resolvePointer } from './json-pointer.ts';
import type { Answer } from './query.ts';

/** Smaller ratios say nothing that the two values do not. */
const LEAST_RATIO = 1.1;

type PairRule = 'ratio' | 'rate_ratio' | 'product';
type Valued = Pick<Evidence, 'value' | 'from' | 'to'>;
export type Condition = Extract<NonNullable<Evidence['derived']>, { rule: 'count' }>['where'][number];

function lengthMs({ from, to }: Valued): number {
  return Date.parse(to) - Date.parse(from);
}

/** What two items give by a rule; NaN or infinite where they give nothing. */
export function pairValue(rule: PairRule, first: Valued, second: Valued): number {
  const [a, b] = [Number(first.value), Number(second.value)];
  if (rule === 'product') return Math.round(a * b);
  return rule === 'ratio' ? a / b : a / lengthMs(first) / (b / lengthMs(second));
}

/** How many entries of an array meet all conditions; undefined when it is no array. */
export function countValue(json: unknown, where: readonly Condition[]): number | undefined {
  if (!Array.isArray(json)) return undefined;
  return json.filter((entry) => where.every(({ pointer, value }) => (resolvePointer(entry, pointer) ?? null) === value)).length;
}

function pairFact(rule: PairRule, first: Fact, second: Fact, unit: string): NumberFact | undefined {
  const value = pairValue(rule, first, second);
  if (!Number.isFinite(value)) return undefined;
  const type = rule === 'product' ? first.type : 'ratio';
  return { ...first, type, value, unit, derived: { rule, of: [first, second] } };
}

/** How many times `large` is `small`; undefined where that says nothing. */
export function ratioFact(large: Fact, small: Fact): NumberFact | undefined {
  const fact = pairFact('ratio', large, small, 'times');
  return fact && fact.value >= LEAST_RATIO ? fact : undefined;
}

/** As `ratioFact`, of counts over ranges of different lengths. */
export function rateRatioFact(large: Fact, small: Fact): NumberFact | undefined {
  const fact = pairFact('rate_ratio', large, small, 'times');
  return fact && fact.value >= LEAST_RATIO ? fact : undefined;
}

/** A share of a number of things, as a number of things. */
export function productFact(share: NumberFact, count: NumberFact): NumberFact | undefined {
  const fact = pairFact('product', share, count, count.unit);
  return fact && { ...fact, feature: null };
}

/** How many entries of the array at `pointer` meet the conditions. */
export function countFact(
  answer: Answer<unknown>,
  pointer: string,
  meta: FactMeta,
  where: Condition[] = [],
): NumberFact | undefined {
  const value = countValue(resolvePointer(answer.body, pointer), where);
  if (value === undefined) return undefined;
  const { type, service, feature = null, unit = '', fromMs, toMs } = meta;
  const range = { from: isoTime(fromMs), to: isoTime(toMs) };
  return { type, service, feature, value, unit, ...range, query: answer.query, pointer, derived: { rule: 'count', where } };
}
