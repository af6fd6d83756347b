import type { Change, Incident } from '../model/incident.ts';
import { countFact } from './evidence-derived.ts';
import { citeKnown, cite } from './evidence.ts';
import type { Fact, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import { MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { documentAnswer, listAnswer } from './query.ts';
import type { EvidenceStore } from './query.ts';

const HISTORY_MS = 30 * 86_400_000;
const LIMIT = 200;
const MAX_LISTED = 3;
/** A change this long before the end, or less, may have brought it. */
const CLOSING_MS = 15 * MINUTE_MS;

/** A closed incident of the last 30 days whose first cause was the same service and signal. */
export interface PastIncidentFacts {
  incident: Incident;
  startedAt: Fact;
  resolvedAt: Fact;
  durationMs: number;
  /** Its first cause's reason. */
  reason: Fact;
  /** Who said that it is over; undefined when it ended by itself. */
  closedBy: Fact | undefined;
  /** The last change of the service shortly before the end, and its time. */
  closing: { change: Change; at: Fact } | undefined;
}

export interface HistoryFacts {
  /** The newest few. */
  listed: PastIncidentFacts[];
  /** How many there are; at least, when there are more than a page. Undefined when there are none. */
  count: NumberFact | undefined;
}

/** Who resolved an incident, when somebody did. */
function closedBy(incident: Incident): number {
  return (incident.events ?? []).findLastIndex(({ type, by }) => type === 'resolved' && by !== undefined);
}

async function closingChange(store: EvidenceStore, past: Incident, service: string): Promise<PastIncidentFacts['closing']> {
  const toMs = Date.parse(past.resolvedAt as string);
  const range = { fromMs: Math.max(Date.parse(past.startedAt), toMs - CLOSING_MS), toMs };
  if (range.toMs <= range.fromMs) return undefined;
  const answer = await listAnswer(store, 'change', { service, ...range, limit: 1 });
  const [change] = answer.body.items;
  return change && { change, at: citeKnown(answer, '/items/0/at', { type: 'change', service, ...range }) };
}

async function pastFacts(store: EvidenceStore, past: Incident, service: string): Promise<PastIncidentFacts> {
  const own = documentAnswer('incident', past);
  const fromMs = Date.parse(past.startedAt);
  const toMs = Date.parse(past.resolvedAt as string);
  const meta = { type: 'incident', service, fromMs, toMs } as const;
  return {
    incident: past,
    startedAt: citeKnown(own, '/startedAt', meta),
    resolvedAt: citeKnown(own, '/resolvedAt', meta),
    durationMs: toMs - fromMs,
    reason: citeKnown(own, '/causes/0/reason', meta),
    closedBy: cite(own, pointerTo('events', closedBy(past), 'by'), meta),
    closing: await closingChange(store, past, service),
  };
}

/** What the same service went through before in the same way, and what ended it. */
export async function historyFacts(
  store: EvidenceStore,
  incident: Incident,
  service: string,
  period: Period,
): Promise<HistoryFacts> {
  const signal = incident.causes[0]?.signal;
  if (signal === undefined) return { listed: [], count: undefined };
  const range = { fromMs: period.onsetMs - HISTORY_MS, toMs: period.onsetMs };
  const answer = await listAnswer(store, 'incident', { service, status: 'resolved', ...range, limit: LIMIT });
  const where = [
    { pointer: '/causes/0/service', value: service },
    { pointer: '/causes/0/signal', value: signal },
    { pointer: '/mergedInto', value: null },
  ];
  const count = countFact(answer, '/items', { type: 'incident', service, unit: 'incidents', ...range }, where);
  const similar = answer.body.items.filter((past) => {
    const cause = past.causes[0];
    return cause?.service === service && cause.signal === signal && past.mergedInto === null && past.resolvedAt !== null;
  });
  const listed = await Promise.all(similar.slice(0, MAX_LISTED).map((past) => pastFacts(store, past, service)));
  return { listed, count: count && count.value > 0 ? count : undefined };
}
