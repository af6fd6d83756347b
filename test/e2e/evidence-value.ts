import type { Evidence } from '../../src/model/report.ts';

/** What a query answers, as JSON. */
export type Ask = (query: string) => Promise<unknown>;

/** RFC 6901, written anew so that the report's own reading is not its judge. */
function valueAt(json: unknown, pointer: string): unknown {
  const tokens = pointer.split('/').slice(1);
  return tokens.reduce((value: unknown, token) => {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    return (value as Record<string, unknown> | undefined | null)?.[key];
  }, json);
}

/** What the value of an evidence item must be by docs/reports.md, out of the answers to its query and those of the items it names. */
export async function evidenceValue(item: Evidence, evidence: readonly Evidence[], ask: Ask): Promise<unknown> {
  const { derived, query, pointer } = item;
  if (derived === undefined) return valueAt(await ask(query), pointer);
  if (derived.rule === 'count') {
    const entries = valueAt(await ask(query), pointer) as unknown[];
    const meets = (entry: unknown): boolean =>
      derived.where.every((part) => (valueAt(entry, part.pointer) ?? null) === part.value);
    return entries.filter(meets).length;
  }
  const [first, second] = derived.of.map((id) => evidence.find((other) => other.id === id));
  if (!first || !second) return undefined;
  const a = (await evidenceValue(first, evidence, ask)) as number;
  const b = (await evidenceValue(second, evidence, ask)) as number;
  if (derived.rule === 'product') return Math.round(a * b);
  const lengthMs = ({ from, to }: Evidence): number => Date.parse(to) - Date.parse(from);
  return derived.rule === 'ratio' ? a / b : a / lengthMs(first) / (b / lengthMs(second));
}
