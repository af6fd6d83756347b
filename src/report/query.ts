import { isoTime } from '../lib/clock.ts';
import { formatDurationMs } from '../lib/units.ts';
import { LEVELS } from '../model/event.ts';
import type { Event } from '../model/event.ts';
import type {
  DocumentKind,
  Documents,
  EventQuery,
  ListQuery,
  MetricSeries,
  MetricsQuery,
  Page,
  Store,
  TemplateQuery,
  TemplateSummary,
} from '../store/store.ts';

/** The part of the store that evidence comes from. */
export type EvidenceStore = Pick<Store, 'metrics' | 'events' | 'templates' | 'list' | 'get' | 'services'>;

/** An API call, path and query string, with the JSON body that it answers: what evidence points into. */
export interface Answer<Body> {
  query: string;
  body: Body;
}

export interface MetricsBody {
  step: number;
  series: MetricSeries[];
}

type Parameter = string | number | undefined;

function pathOf(path: string, parameters: Record<string, Parameter>): string {
  const pairs = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value)).replaceAll('%3A', ':').replaceAll('%2C', ',')}`);
  return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}

export const LIST_PATHS = {
  anomaly: '/api/v1/anomalies',
  incident: '/api/v1/incidents',
  change: '/api/v1/changes',
} as const satisfies Partial<Record<DocumentKind, string>>;

export async function metricsAnswer(store: EvidenceStore, query: MetricsQuery): Promise<Answer<MetricsBody>> {
  const answer = await store.metrics(query);
  return { query: metricsPath(query), body: { step: answer.stepMs, series: answer.series } };
}

export function metricsPath({ service, names, fromMs, toMs, stepMs }: MetricsQuery): string {
  const name = names.length > 0 ? names.join(',') : undefined;
  return pathOf('/api/v1/metrics', { service, name, from: iso(fromMs), to: iso(toMs), step: formatDurationMs(stepMs) });
}

export async function templatesAnswer(store: EvidenceStore, query: TemplateQuery): Promise<Answer<{ items: TemplateSummary[] }>> {
  const { service, fromMs, toMs, limit } = query;
  const items = await store.templates(query);
  return { query: pathOf('/api/v1/templates', { service, from: iso(fromMs), to: iso(toMs), limit }), body: { items } };
}

export async function eventsAnswer(store: EvidenceStore, query: EventQuery): Promise<Answer<Page<Event>>> {
  return { query: eventsPath(query), body: await store.events(query) };
}

export function eventsPath({ service, fromMs, toMs, levels, endpoint, text, limit }: EventQuery): string {
  const level = levels.length > 0 ? levels.map((code) => LEVELS[code]).join(',') : undefined;
  return pathOf('/api/v1/events', { service, from: iso(fromMs), to: iso(toMs), level, endpoint, text, limit });
}

export async function listAnswer<K extends keyof typeof LIST_PATHS>(
  store: EvidenceStore,
  kind: K,
  query: ListQuery,
): Promise<Answer<Page<Documents[K]>>> {
  const { service, status, fromMs, toMs, limit } = query;
  const path = pathOf(LIST_PATHS[kind], { service, status, from: iso(fromMs), to: iso(toMs), limit });
  return { query: path, body: await store.list(kind, query) };
}

/** The answer that a document's own address gives. */
export function documentAnswer<K extends 'anomaly' | 'incident'>(kind: K, document: Documents[K]): Answer<Documents[K]> {
  return { query: `${LIST_PATHS[kind]}/${encodeURIComponent(document.id)}`, body: document };
}

/** The same store, which is asked each metrics question once: services, anomalies and impact ask many of them twice. */
export function askingOnce(store: EvidenceStore): EvidenceStore {
  const asked = new Map<string, ReturnType<Store['metrics']>>();
  return {
    metrics(query) {
      const path = metricsPath(query);
      const known = asked.get(path) ?? store.metrics(query);
      asked.set(path, known);
      return known;
    },
    events: (query) => store.events(query),
    templates: (query) => store.templates(query),
    list: (kind, query) => store.list(kind, query),
    get: (kind, key) => store.get(kind, key),
    services: (query) => store.services(query),
  };
}
