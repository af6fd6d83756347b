import { LEVEL_CRITICAL, LEVEL_ERROR } from '../model/event.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { Store } from '../store/store.ts';
import { beforeValue, windowValue, worstValue } from './evidence-metrics.ts';
import { cite } from './evidence.ts';
import type { Fact, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import type { Patience } from './patience.ts';
import { MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { eventsAnswer } from './query.ts';

export const ERROR_LEVELS = [LEVEL_ERROR, LEVEL_CRITICAL];
/** Failing events read to see which endpoints they hit. */
const SAMPLE = 200;
const MAX_ENDPOINTS = 5;
/** Services whose failing events are looked at. */
const MAX_SAMPLED = 3;

/** Events of a stretch and the share of them that failed; the number that failed is their product. */
export interface CountFacts {
  events: NumberFact;
  errorRate: NumberFact;
}

export function failedEvents({ events, errorRate }: CountFacts): number {
  return Math.round(events.value * errorRate.value);
}

export interface EndpointFacts {
  endpoint: Fact;
  /** Failing events of the sample that hit it. */
  count: number;
}

/** Which endpoints failing events of a short stretch hit. */
export interface SampleFacts {
  /** Most hit first; empty when no event names an endpoint. */
  endpoints: EndpointFacts[];
  /** Newest failing events looked at, and whether they are all of the stretch. */
  events: number;
  complete: boolean;
  fromMs: number;
  toMs: number;
}

/** How hard one service is hit. Counts are over the whole incident, `before` over the stretch before it. */
export interface ImpactFacts {
  service: string;
  during: CountFacts | undefined;
  before: CountFacts | undefined;
  /** 95th percentile of latency, milliseconds: before, and in the worst bucket of the incident. */
  latencyBefore: NumberFact | undefined;
  latencyWorst: NumberFact | undefined;
  sample: SampleFacts | undefined;
  lastEvent: Fact | undefined;
}

async function countFacts(store: Store, service: string, fromMs: number, toMs: number): Promise<CountFacts | undefined> {
  const [events, errorRate] = await Promise.all([
    windowValue(store, { service, feature: 'event_count', fromMs, toMs }),
    windowValue(store, { service, feature: 'error_rate', fromMs, toMs }),
  ]);
  return events && errorRate ? { events, errorRate } : undefined;
}

/** The newest failing events of the worst stretch of the incident: a search over all of it would read every raw event. */
async function sampleFacts(store: Store, service: string, period: Period, patience: Patience): Promise<SampleFacts | undefined> {
  const worst = await worstValue(store, { service, feature: 'error_rate', direction: 'up', period });
  if (!worst || worst.value === 0) return undefined;
  const toMs = Date.parse(worst.to);
  const fromMs = Math.max(Date.parse(worst.from), toMs - MINUTE_MS);
  const query = { service, fromMs, toMs, levels: ERROR_LEVELS, limit: SAMPLE };
  const answer = await patience(eventsAnswer(store, query));
  if (!answer) return undefined;
  const { items, nextCursor } = answer.body;
  const found = new Map<string, { index: number; count: number }>();
  for (const [index, event] of items.entries()) {
    const endpoint = event.metadata['endpoint'];
    if (typeof endpoint !== 'string' || endpoint === '') continue;
    const entry = found.get(endpoint);
    if (entry) entry.count++;
    else found.set(endpoint, { index, count: 1 });
  }
  const endpoints: EndpointFacts[] = [];
  for (const { index, count } of [...found.values()].toSorted((a, b) => b.count - a.count).slice(0, MAX_ENDPOINTS)) {
    const meta = { type: 'endpoint', service, fromMs, toMs } as const;
    const endpoint = cite(answer, pointerTo('items', index, 'metadata', 'endpoint'), meta);
    if (endpoint) endpoints.push({ endpoint, count });
  }
  return { endpoints, events: items.length, complete: nextCursor === null, fromMs, toMs };
}

async function lastEventFact(store: Store, service: string, period: Period): Promise<Fact | undefined> {
  const range = { fromMs: period.onsetMs - MINUTE_MS, toMs: period.onsetMs + SUB_WINDOW_MS };
  const answer = await eventsAnswer(store, { service, ...range, levels: [], limit: 1 });
  return cite(answer, '/items/0/timestamp', { type: 'event', service, ...range });
}

/** Impact on the given services, in their order; `silent` ones are asked for their last event. */
export async function impactFacts(
  store: Store,
  services: { service: string; silent: boolean }[],
  period: Period,
  patience: Patience,
): Promise<ImpactFacts[]> {
  const { onsetMs, endMs, before } = period;
  return Promise.all(
    services.map(async ({ service, silent }, i) => {
      const [during, earlier, latencyBefore, latencyWorst, sample, lastEvent] = await Promise.all([
        countFacts(store, service, onsetMs, endMs),
        countFacts(store, service, before.fromMs, before.toMs),
        beforeValue(store, service, 'p95_latency', period),
        worstValue(store, { service, feature: 'p95_latency', direction: 'up', period }),
        i < MAX_SAMPLED ? sampleFacts(store, service, period, patience) : undefined,
        silent ? patience(lastEventFact(store, service, period)) : undefined,
      ]);
      return { service, during, before: earlier, latencyBefore, latencyWorst, sample, lastEvent };
    }),
  );
}
