import type { Event } from '../model/event.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { cite } from './evidence.ts';
import type { Fact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import type { Patience } from './patience.ts';
import type { Period } from './period.ts';
import { eventsAnswer } from './query.ts';
import type { Answer, EvidenceStore } from './query.ts';

/** Events of a service that are looked at for who called whom. */
const SAMPLE = 500;

/** One service was seen to call another: an event of the second has one of the first as its parent. */
export interface CallFacts {
  caller: string;
  callee: string;
  /** The same id: `span_id` of the caller's event, `parent_span_id` of the callee's. */
  span: Fact;
  parent: Fact;
}

type Events = Answer<{ items: Event[] }>;

interface Spans {
  service: string;
  answer: Events;
  range: { fromMs: number; toMs: number };
}

async function spansOf(store: EvidenceStore, service: string, period: Period, patience: Patience): Promise<Spans | undefined> {
  const range = { fromMs: period.onsetMs, toMs: period.onsetMs + SUB_WINDOW_MS };
  const answer = await patience(eventsAnswer(store, { service, ...range, levels: [], limit: SAMPLE }));
  return answer && { service, answer, range };
}

function firstCall(caller: Spans, callee: Spans, spanIndex: ReadonlyMap<string, number>): CallFacts | undefined {
  for (const [index, { parent_span_id: parentId }] of callee.answer.body.items.entries()) {
    const at = parentId === undefined ? undefined : spanIndex.get(parentId);
    if (at === undefined) continue;
    const cited = (spans: Spans, ...place: (string | number)[]): Fact | undefined =>
      cite(spans.answer, pointerTo(...place), { type: 'call', service: spans.service, ...spans.range });
    const span = cited(caller, 'items', at, 'span_id');
    const parent = cited(callee, 'items', index, 'parent_span_id');
    if (span && parent) return { caller: caller.service, callee: callee.service, span, parent };
  }
  return undefined;
}

/**
 * Who calls whom among the given services, by the parents of events of the first seconds of the incident; none where events carry
 * no spans. A sample: a call that is not found may be there.
 */
export async function callFacts(
  store: EvidenceStore,
  services: readonly string[],
  period: Period,
  patience: Patience,
): Promise<CallFacts[]> {
  if (services.length < 2) return [];
  const found = await Promise.all(services.map((service) => spansOf(store, service, period, patience)));
  const sampled = found.filter((spans) => spans !== undefined);
  return sampled.flatMap((caller) => {
    const ids = new Map(caller.answer.body.items.flatMap(({ span_id: id }, i) => (id === undefined ? [] : [[id, i] as const])));
    if (ids.size === 0) return [];
    const others = sampled.filter((callee) => callee !== caller);
    return others.map((callee) => firstCall(caller, callee, ids)).filter((call) => call !== undefined);
  });
}
