import type { Event } from '../model/event.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { VERSION_KEYS } from '../model/event-rules.ts';
import { LEVEL_CRITICAL, LEVEL_ERROR } from '../model/event.ts';
import { countFact } from './evidence-derived.ts';
import { worstValue } from './evidence-metrics.ts';
import { cite, citeNumber } from './evidence.ts';
import type { Fact, FactMeta, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import type { Patience } from './patience.ts';
import { MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { eventsAnswer } from './query.ts';
import type { Answer, EvidenceStore } from './query.ts';

export const ERROR_LEVELS = [LEVEL_ERROR, LEVEL_CRITICAL];
/** Events read to see which endpoints and versions they name. */
const SAMPLE = 200;
const MAX_NAMED = 5;

type Events = Answer<{ items: Event[]; nextCursor: string | null }>;

/** An endpoint or version that events of a sample name. */
export interface NamedFacts {
  name: Fact;
  /** Events of the sample that name it. */
  count: NumberFact;
  /** The longest latency among them, milliseconds; only asked for when they are looked at for being slow. */
  slowest: NumberFact | undefined;
}

/** What the newest failing events of a short stretch name; of a service that is only slow, its newest events. */
export interface SampleFacts {
  kind: 'failing' | 'slow';
  /** Most events first, or slowest first; empty when no event names one. */
  endpoints: NamedFacts[];
  versions: NamedFacts[];
  /** Events looked at, and whether they are all of the stretch. */
  events: NumberFact;
  complete: boolean;
  fromMs: number;
  toMs: number;
}

function latencyOf({ metadata }: Event): number {
  const value = metadata['latency_ms'];
  return typeof value === 'number' ? value : -1;
}

/** What events name under a key, the most telling first. */
function namedFacts(answer: Events, key: string, kind: SampleFacts['kind'], meta: FactMeta): NamedFacts[] {
  const found = new Map<string, { first: number; slowest: number; count: number; latency: number }>();
  for (const [index, event] of answer.body.items.entries()) {
    const name = event.metadata[key];
    if (typeof name !== 'string' || name === '') continue;
    const latency = latencyOf(event);
    const entry = found.get(name);
    if (!entry) found.set(name, { first: index, slowest: index, count: 1, latency });
    else {
      entry.count++;
      if (latency > entry.latency) Object.assign(entry, { latency, slowest: index });
    }
  }
  const weight = ({ count, latency }: { count: number; latency: number }): number => (kind === 'slow' ? latency : count);
  const ordered = [...found].toSorted(([, a], [, b]) => weight(b) - weight(a)).slice(0, MAX_NAMED);
  return ordered.flatMap(([value, { first, slowest }]): NamedFacts[] => {
    const name = cite(answer, pointerTo('items', first, 'metadata', key), meta);
    const where = [{ pointer: pointerTo('metadata', key), value }];
    const count = countFact(answer, '/items', { ...meta, unit: 'events' }, where);
    const place = pointerTo('items', slowest, 'metadata', 'latency_ms');
    const latency = kind === 'slow' ? citeNumber(answer, place, { ...meta, unit: 'ms' }) : undefined;
    return name && count ? [{ name, count, slowest: latency }] : [];
  });
}

async function sampleOf(
  store: EvidenceStore,
  worst: Fact,
  kind: SampleFacts['kind'],
  patience: Patience,
): Promise<SampleFacts | undefined> {
  const { service } = worst;
  const toMs = Date.parse(worst.to);
  const fromMs = Math.max(Date.parse(worst.from), toMs - MINUTE_MS);
  const query = { service, fromMs, toMs, levels: kind === 'failing' ? ERROR_LEVELS : [], limit: SAMPLE };
  const answer = await patience(eventsAnswer(store, query));
  if (!answer) return undefined;
  const meta = { service, fromMs, toMs };
  const events = countFact(answer, '/items', { ...meta, type: 'event', unit: 'events' });
  if (!events || events.value === 0) return undefined;
  const versionKey = VERSION_KEYS.find((key) => answer.body.items.some(({ metadata }) => typeof metadata[key] === 'string'));
  return {
    kind,
    endpoints: namedFacts(answer, 'endpoint', kind, { ...meta, type: 'endpoint' }),
    versions: versionKey === undefined ? [] : namedFacts(answer, versionKey, kind, { ...meta, type: 'version' }),
    events,
    complete: answer.body.nextCursor === null,
    fromMs,
    toMs,
  };
}

/** The newest events of the worst stretch of the incident: a search over all of it would read every raw event. */
export async function sampleFacts(
  store: EvidenceStore,
  service: string,
  isSlow: boolean,
  { period, patience }: { period: Period; patience: Patience },
): Promise<SampleFacts | undefined> {
  const failing = await worstValue(store, { service, feature: 'error_rate', direction: 'up', period });
  if (failing && failing.value > 0 && !isSlow) return sampleOf(store, failing, 'failing', patience);
  const slow = isSlow ? await worstValue(store, { service, feature: 'p95_latency', direction: 'up', period }) : undefined;
  return slow && sampleOf(store, slow, 'slow', patience);
}

/** The newest event before a service fell silent. */
export async function lastEventFact(store: EvidenceStore, service: string, period: Period): Promise<Fact | undefined> {
  const range = { fromMs: period.onsetMs - MINUTE_MS, toMs: period.onsetMs + SUB_WINDOW_MS };
  const answer = await eventsAnswer(store, { service, ...range, levels: [], limit: 1 });
  return cite(answer, '/items/0/timestamp', { type: 'event', service, ...range });
}
