import type { TemplateSummary } from '../store/store.ts';
import { rateRatioFact } from './evidence-derived.ts';
import { ERROR_LEVELS } from './evidence-sample.ts';
import { cite } from './evidence.ts';
import type { Fact, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import type { Patience } from './patience.ts';
import { floorTo, MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { eventsAnswer, eventsPath, templatesAnswer } from './query.ts';
import type { Answer, EvidenceStore } from './query.ts';

const LIMIT = 200;
const MAX_LISTED = 5;
export const RISE_FACTOR = 3;
const MIN_RISEN = 5;
const MIN_VANISHED = 10;
const MAX_SEARCH_TEXT = 80;

export type TemplateChange = 'new' | 'risen' | 'vanished';

/** An error message whose frequency changed with the incident. */
export interface TemplateFacts {
  service: string;
  change: TemplateChange;
  template: string;
  example: string;
  /** Occurrences over the incident's closed minutes (before it, for a vanished one); undefined while the first minute is open. */
  count: Fact | undefined;
  /** One such event, while there is no count to cite. */
  event: Fact | undefined;
  /** Of a risen one: occurrences in the look-back, and how many times as frequent it became. */
  past: Fact | undefined;
  rise: NumberFact | undefined;
  /** Rate during against before; Infinity when there was none in the look-back, 0 for vanished. */
  ratio: number;
  /** The API call that lists the events. */
  search: string;
}

type Templates = Answer<{ items: TemplateSummary[] }>;

/** The longest literal part of a template: what a text search for its events takes. */
export function literalPart(template: string): string {
  const parts = template.split(/<[^<>\s]{1,20}>/).map((part) => part.trim());
  return (
    parts
      .toSorted((a, b) => b.length - a.length)[0]
      ?.slice(0, MAX_SEARCH_TEXT)
      .trim() ?? ''
  );
}

interface Comparison {
  service: string;
  during: Templates;
  before: Templates;
  /** Start of the incident's first minute. */
  fromMs: number;
  duringMinutes: number;
  beforeMinutes: number;
}

interface Candidate {
  item: TemplateSummary;
  index: number;
  change: TemplateChange;
  ratio: number;
  /** Where the look-back's answer has it; -1 for nowhere. */
  pastIndex: number;
}

function candidates({ service, during, before, fromMs, duringMinutes, beforeMinutes }: Comparison): Candidate[] {
  const listed = (answer: Templates): [number, TemplateSummary][] =>
    [...answer.body.items.entries()].filter(([, item]) => item.service === service);
  const then = new Map(listed(before).map(([index, { templateId, count }]) => [templateId, { index, count }]));
  const found: Candidate[] = [];
  for (const [index, item] of listed(during)) {
    const { count: past, index: pastIndex } = then.get(item.templateId) ?? { count: 0, index: -1 };
    const ratio = past === 0 ? Infinity : (item.count * beforeMinutes) / (past * duringMinutes);
    // A full page may hide an older template further down: then absence from it proves nothing.
    if (past === 0 && before.body.items.length >= LIMIT) continue;
    if (past === 0 && Date.parse(item.firstSeen) >= fromMs) found.push({ item, index, change: 'new', ratio, pastIndex });
    else if (ratio >= RISE_FACTOR && item.count >= MIN_RISEN) found.push({ item, index, change: 'risen', ratio, pastIndex });
  }
  // The first minute began before the onset: what was last seen in it may have ended with the onset.
  const quietMinutes = duringMinutes - 1;
  for (const [index, item] of listed(before)) {
    const missing = (item.count * quietMinutes) / beforeMinutes;
    const gone = Date.parse(item.lastSeen) <= fromMs;
    if (gone && missing >= MIN_VANISHED) found.push({ item, index, change: 'vanished', ratio: 0, pastIndex: index });
  }
  return found;
}

interface Ranges {
  during: { fromMs: number; toMs: number };
  before: { fromMs: number; toMs: number };
  /** Whether the incident is still in its first minute, whose counts grow. */
  open: boolean;
}

/** Templates are counted by the minute, so both stretches are whole minutes, the incident's only closed ones if it can. */
function rangesOf(period: Period): Ranges {
  const fromMs = floorTo(period.onsetMs, MINUTE_MS);
  const closedMs = floorTo(period.endMs, MINUTE_MS);
  const open = closedMs <= fromMs;
  const lookbackMs = Math.max(MINUTE_MS, floorTo(period.before.stepMs, MINUTE_MS));
  return {
    during: { fromMs, toMs: open ? fromMs + MINUTE_MS : closedMs },
    before: { fromMs: fromMs - lookbackMs, toMs: fromMs },
    open,
  };
}

async function factsOf(
  store: EvidenceStore,
  { service, during, before }: Comparison,
  { item, index, change, ratio, pastIndex }: Candidate,
  { ranges, period, patience }: { ranges: Ranges; period: Period; patience: Patience },
): Promise<TemplateFacts> {
  const { template, example } = item;
  const gone = change === 'vanished';
  const text = literalPart(template);
  const range = gone ? ranges.before : { fromMs: period.onsetMs, toMs: period.endMs };
  const query = { service, ...range, levels: ERROR_LEVELS, ...(text && { text }), limit: 20 };
  const facts = { service, change, template, example, ratio, search: eventsPath(query) };
  const uncounted = { count: undefined, event: undefined, past: undefined, rise: undefined };
  if (ranges.open && !gone) {
    const answer = await patience(eventsAnswer(store, query));
    const event = answer && cite(answer, '/items/0/message', { type: 'event', service, ...range });
    return { ...facts, ...uncounted, event };
  }
  const meta = { type: 'template', service, unit: 'events' } as const;
  const counted = (answer: Templates, at: number, stretch: { fromMs: number; toMs: number }): Fact | undefined =>
    cite(answer, pointerTo('items', at, 'count'), { ...meta, ...stretch });
  if (gone) return { ...facts, ...uncounted, count: counted(before, index, ranges.before) };
  const count = counted(during, index, ranges.during);
  const past = change === 'risen' ? counted(before, pastIndex, ranges.before) : undefined;
  return { ...facts, ...uncounted, count, past, rise: count && past && rateRatioFact(count, past) };
}

/** New, then risen, then vanished error messages of a service, most frequent first. */
export async function templateFacts(
  store: EvidenceStore,
  service: string,
  period: Period,
  patience: Patience,
): Promise<TemplateFacts[]> {
  const ranges = rangesOf(period);
  const [during, before] = await Promise.all([
    templatesAnswer(store, { service, ...ranges.during, limit: LIMIT }),
    templatesAnswer(store, { service, ...ranges.before, limit: LIMIT }),
  ]);
  const { fromMs, toMs } = ranges.during;
  const duringMinutes = (toMs - fromMs) / MINUTE_MS;
  const beforeMinutes = (ranges.before.toMs - ranges.before.fromMs) / MINUTE_MS;
  const comparison = { service, during, before, fromMs, duringMinutes, beforeMinutes };
  const found = candidates(comparison);
  const order: TemplateChange[] = ['new', 'risen', 'vanished'];
  const chosen = order.flatMap((change) => found.filter((candidate) => candidate.change === change).slice(0, MAX_LISTED));
  return Promise.all(chosen.map((candidate) => factsOf(store, comparison, candidate, { ranges, period, patience })));
}
