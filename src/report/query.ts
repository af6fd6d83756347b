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

export async function metricsAnswer(store: Store, query: MetricsQuery): Promise<Answer<MetricsBody>> {
  const answer = await store.metrics(query);
  return { query: metricsPath(query), body: { step: answer.stepMs, series: answer.series } };
}

export function metricsPath({ service, names, fromMs, toMs, stepMs }: MetricsQuery): string {
  const name = names.length > 0 ? names.join(',') : undefined;
  return pathOf('/api/v1/metrics', { service, name, from: iso(fromMs), to: iso(toMs), step: formatDurationMs(stepMs) });
}

export async function templatesAnswer(store: Store, query: TemplateQuery): Promise<Answer<{ items: TemplateSummary[] }>> {
  const { service, fromMs, toMs, limit } = query;
  const items = await store.templates(query);
  return { query: pathOf('/api/v1/templates', { service, from: iso(fromMs), to: iso(toMs), limit }), body: { items } };
}

export async function eventsAnswer(store: Store, query: EventQuery): Promise<Answer<Page<Event>>> {
  return { query: eventsPath(query), body: await store.events(query) };
}

export function eventsPath({ service, fromMs, toMs, levels, endpoint, text, limit }: EventQuery): string {
  const level = levels.length > 0 ? levels.map((code) => LEVELS[code]).join(',') : undefined;
  return pathOf('/api/v1/events', { service, from: iso(fromMs), to: iso(toMs), level, endpoint, text, limit });
}

export async function listAnswer<K extends keyof typeof LIST_PATHS>(
  store: Store,
  kind: K,
  query: ListQuery,
): Promise<Answer<Page<Documents[K]>>> {
  const { service, fromMs, toMs, limit } = query;
  const path = pathOf(LIST_PATHS[kind], { service, from: iso(fromMs), to: iso(toMs), limit });
  return { query: path, body: await store.list(kind, query) };
}

/** The answer that a document's own address gives. */
export function documentAnswer<K extends 'anomaly' | 'incident'>(kind: K, document: Documents[K]): Answer<Documents[K]> {
  return { query: `${LIST_PATHS[kind]}/${encodeURIComponent(document.id)}`, body: document };
}
