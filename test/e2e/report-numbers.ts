import type { Evidence, Report } from '../../src/model/report.ts';
import { milliseconds, number, percent, times } from '../../src/report/template/wording.ts';

const TIME = /(?:\d{4}-\d{2}-\d{2} )?\d{2}:\d{2}:\d{2}|\d{4}-\d{2}-\d{2}/g;
const LENGTH = /(?<![\d.,])\d+ (?:days|d|h|min|s)(?: \d+ (?:h|min|s))?(?![\w/])/g;
const NUMBER = /\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?/g;
const UNIT_MS: Record<string, number> = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1000 };

/**
 * The prose of a report: without its head, its evidence, code spans (names, queries, examples), evidence ids, names of quantiles, numbers
 * of list items, and how many names or entries a list leaves out.
 */
export function proseOf({ markdown }: Report): string {
  const [body = ''] = markdown.split('\n## Evidence\n');
  return body
    .replace(/^Incident `.*$/m, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .replaceAll(/\bE\d+\b/g, '')
    .replaceAll(/\bp9[59]\b/g, '')
    .replaceAll(/^\d+\. /gm, '')
    .replaceAll(/ and \d+ more\b/g, '')
    .replaceAll(/, \d+ of \d+ shown/g, '');
}

/** Moments that the evidence speaks of, ascending. */
function momentsOf(evidence: readonly Evidence[]): number[] {
  const stamps = evidence.flatMap(({ from, to, value }) => [from, to, ...(typeof value === 'string' ? [value] : [])]);
  const times_ = stamps.filter((text) => /^\d{4}-\d{2}-\d{2}T/.test(text)).map((text) => Date.parse(text));
  // The sub-window in which something happened is a moment as well: onset and end are given by it.
  return [...new Set(times_.flatMap((ms) => [ms, Math.floor(ms / 10_000) * 10_000]))].toSorted((a, b) => a - b);
}

function lengthOf(text: string): { fromMs: number; toMs: number } {
  const parts = [...text.matchAll(/(\d+) (d|h|min|s)/g)].map(([, size, unit = 's']) => ({
    size: Number(size),
    ms: UNIT_MS[unit] ?? 0,
  }));
  const fromMs = parts.reduce((sum, { size, ms }) => sum + size * ms, 0);
  // The second unit is the smallest that is said; below it everything is cut off, or rounded to a second.
  const smallest = parts.at(-1)?.ms ?? 0;
  const next = parts.length > 1 ? smallest : smallest / (smallest > 1000 ? 60 : 1);
  return { fromMs: fromMs - 500, toMs: fromMs + Math.max(next, 500) };
}

/** Whether two moments are so far apart. */
function isApart(moments: readonly number[], text: string): boolean {
  const { fromMs, toMs } = lengthOf(text);
  return moments.some((start) => moments.some((end) => end - start >= fromMs && end - start <= toMs));
}

function digits(text: string): string {
  return text.match(NUMBER)?.[0] ?? '';
}

/** Every way in which a report writes a number of its evidence. */
function writtenNumbers(evidence: readonly Evidence[]): Set<string> {
  const said = new Set<string>();
  for (const { value } of evidence) {
    if (typeof value === 'string') for (const [text] of value.matchAll(NUMBER)) said.add(text);
    else for (const text of [number(value), percent(value), milliseconds(value), times(value)]) said.add(digits(text));
  }
  return said;
}

/** Numbers (with what stands around them), times and lengths of time in the prose of a report that no evidence carries. */
export function uncarried(report: Report): string[] {
  const { evidence } = report;
  const numbers = writtenNumbers(evidence);
  const moments = momentsOf(evidence);
  const clock = new Set(moments.map((ms) => new Date(ms).toISOString()));
  const isMoment = (text: string): boolean => [...clock].some((iso) => iso.replace('T', ' ').includes(text));
  const found: string[] = [];
  const rest = proseOf(report)
    .replaceAll(TIME, (text) => {
      if (!isMoment(text)) found.push(text);
      return '';
    })
    .replaceAll(LENGTH, (text) => {
      if (!isApart(moments, text) && !numbers.has(digits(text))) found.push(text);
      return '';
    });
  for (const { 0: text, index } of rest.matchAll(NUMBER)) {
    if (!numbers.has(text)) found.push(rest.slice(Math.max(0, index - 40), index + 20).replaceAll('\n', ' '));
  }
  return found;
}

/** Evidence ids that the report cites, in its text or its timeline, and does not list. */
export function dangling({ markdown, timeline, evidence }: Report): string[] {
  const known = new Set(evidence.map(({ id }) => id));
  const prose = markdown.replaceAll(/`[^`\n]*`/g, '');
  const cited = [...(prose.match(/\bE\d+\b/g) ?? []), ...timeline.flatMap((entry) => entry.evidence)];
  return [...new Set(cited)].filter((id) => !known.has(id));
}
