import type { Evidence } from '../model/report.ts';
import { countValue, pairValue } from './evidence-derived.ts';
import { resolvePointer } from './json-pointer.ts';

/**
 * What an item's value must be by the answers to the queries: of its own, or of the two items that it follows from. Undefined when an
 * item that it names is not in the list.
 */
export async function checkedValue(
  item: Evidence,
  evidence: readonly Evidence[],
  answerOf: (query: string) => Promise<unknown>,
): Promise<unknown> {
  const { derived } = item;
  if (derived === undefined) return resolvePointer(await answerOf(item.query), item.pointer);
  if (derived.rule === 'count') return countValue(resolvePointer(await answerOf(item.query), item.pointer), derived.where);
  const parts = await Promise.all(
    derived.of.map(async (id) => {
      const part = evidence.find((other) => other.id === id);
      return part && { ...part, value: (await checkedValue(part, evidence, answerOf)) as number | string };
    }),
  );
  const [first, second] = parts;
  return first && second ? pairValue(derived.rule, first, second) : undefined;
}
