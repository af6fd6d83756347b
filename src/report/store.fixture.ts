import { isoTime } from '../lib/clock.ts';
import { entityMatches } from '../model/entity.ts';
import { LEVELS, levelCode } from '../model/event.ts';
import type { Event, Level } from '../model/event.ts';
import { FEATURE_UNITS, FEATURES } from '../model/rollup.ts';
import type { Feature } from '../model/rollup.ts';
import { MemoryRecords } from '../store/record-store.fixture.ts';
import type {
  DocumentKind,
  Documents,
  EventQuery,
  ListQuery,
  MetricsAnswer,
  MetricsQuery,
  Page,
  Store,
  TemplateQuery,
  TemplateSummary,
} from '../store/store.ts';

export interface StoredEvent {
  ms: number;
  service: string;
  level: Level;
  message: string;
  template: string;
  latencyMs?: number;
  endpoint?: string;
  version?: string;
  spanId?: string;
  parentSpanId?: string;
}

const MINUTE_MS = 60_000;

/** Without what is undefined. */
function only(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function isError({ level }: StoredEvent): boolean {
  return levelCode(level) >= levelCode('ERROR');
}

function quantile(sorted: number[], q: number): number | null {
  return sorted.length === 0 ? null : (sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number);
}

function featureOf(feature: Feature, events: StoredEvent[], previous: number, stepMs: number): number | null {
  const latencies = feature.includes('latency')
    ? events.flatMap(({ latencyMs }) => latencyMs ?? []).toSorted((a, b) => a - b)
    : [];
  const mean = latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length;
  switch (feature) {
    case 'event_count':
      return events.length;
    case 'error_rate':
      return events.length === 0 ? null : events.filter(isError).length / events.length;
    case 'avg_latency':
      return latencies.length === 0 ? null : mean;
    case 'p95_latency':
      return quantile(latencies, 0.95);
    case 'p99_latency':
      return quantile(latencies, 0.99);
    case 'latency_stddev':
      return latencies.length === 0
        ? null
        : Math.sqrt(latencies.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / latencies.length);
    case 'unique_endpoints':
      return new Set(events.flatMap(({ endpoint }) => endpoint ?? [])).size;
    default:
      return ((events.length - previous) * 1000) / stepMs;
  }
}

/** Index of the first of `events`, ascending by time, at or after `ms`. */
function firstFrom(events: StoredEvent[], ms: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as StoredEvent).ms < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A small Store over arrays that answers as store.ts says; `fail` makes the next calls reject. */
export class MemoryStore implements Store {
  events_: StoredEvent[] = [];
  documents: { [K in DocumentKind]: Documents[K][] } = { anomaly: [], incident: [], change: [], report: [] };
  calls = 0;
  failures = 0;
  /** Called before every answer; a promise delays it. */
  gate: () => Promise<void> | void = () => {};
  models = {} as Store['models'];
  records = new MemoryRecords();
  #index = new Map<string, StoredEvent[]>();
  #indexed: StoredEvent[] | undefined;

  async #enter(): Promise<void> {
    this.calls++;
    await this.gate();
    if (this.failures > 0) {
      this.failures--;
      throw new Error('the store is away');
    }
  }

  /** Events of each service, ascending by time; made again when `events_` is replaced. */
  #byService(): Map<string, StoredEvent[]> {
    if (this.#indexed !== this.events_) {
      this.#index = Map.groupBy(this.events_, ({ service }) => service);
      this.#indexed = this.events_;
    }
    return this.#index;
  }

  #select(service: string | undefined, fromMs: number, toMs: number): StoredEvent[] {
    return [...this.#byService()]
      .filter(([name]) => service === undefined || entityMatches(name, service))
      .flatMap(([, events]) => events.slice(firstFrom(events, fromMs), firstFrom(events, toMs)));
  }

  async services(): Promise<never[]> {
    await this.#enter();
    return [];
  }

  async rollups(): Promise<never[]> {
    await this.#enter();
    return [];
  }

  async metrics({ fromMs, toMs, service, names, stepMs }: MetricsQuery): Promise<MetricsAnswer> {
    await this.#enter();
    const origin = toMs - fromMs === stepMs ? fromMs : Math.floor(fromMs / stepMs) * stepMs;
    const entities = [...new Set(this.#select(service, -Infinity, Infinity).map((event) => event.service))].toSorted();
    const series = entities.flatMap((entity) =>
      (names.length > 0 ? (names as Feature[]) : FEATURES).map((name) => {
        const points: [number, number | null][] = [];
        for (let at = origin; at < toMs; at += stepMs) {
          const own = this.#select(entity, at, at + stepMs).filter((event) => event.service === entity);
          points.push([at, featureOf(name, own, this.#select(entity, at - stepMs, at).length, stepMs)]);
        }
        return { name, labels: { service: entity }, unit: FEATURE_UNITS[name], points };
      }),
    );
    return { stepMs, series };
  }

  async events(query: EventQuery): Promise<Page<Event>> {
    await this.#enter();
    const { fromMs = -Infinity, toMs = Infinity, service, levels, endpoint, text, limit } = query;
    const found = this.#select(service, fromMs, toMs).filter(
      (event) =>
        (levels.length === 0 || levels.some((code) => LEVELS[code] === event.level)) &&
        (endpoint === undefined || event.endpoint === endpoint) &&
        (text === undefined || event.message.toLowerCase().includes(text.toLowerCase())),
    );
    const items = found
      .toSorted((a, b) => b.ms - a.ms)
      .map(({ ms, service: name, level, message, latencyMs, endpoint: path, version, spanId, parentSpanId }) => ({
        timestamp: isoTime(ms),
        service: name,
        level,
        message,
        metadata: only({ latency_ms: latencyMs, endpoint: path, 'service.version': version }),
        ...only({ span_id: spanId, parent_span_id: parentSpanId }),
      }));
    return { items: items.slice(0, limit), nextCursor: items.length > limit ? 'more' : null };
  }

  async templates({ service, fromMs, toMs, limit }: TemplateQuery): Promise<TemplateSummary[]> {
    await this.#enter();
    const minute = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS;
    const groups = Map.groupBy(
      this.#select(service, -Infinity, Infinity).filter(isError),
      (event) => `${event.service} ${event.template}`,
    );
    const summaries = [...groups.values()].flatMap((all): TemplateSummary[] => {
      const inside = all.filter(({ ms }) => minute(ms) >= minute(fromMs) && minute(ms) < toMs);
      const first = all[0] as StoredEvent;
      if (inside.length === 0) return [];
      const [firstSeen, lastSeen] = [all[0], all.at(-1)].map((event) => isoTime(minute((event as StoredEvent).ms)));
      const { template, message: example } = first;
      const times = { firstSeen: firstSeen as string, lastSeen: lastSeen as string };
      return [{ service: first.service, templateId: template, template, count: inside.length, ...times, example }];
    });
    return summaries.toSorted((a, b) => b.count - a.count || (a.templateId < b.templateId ? -1 : 1)).slice(0, limit);
  }

  async list<K extends DocumentKind>(kind: K, query: ListQuery): Promise<Page<Documents[K]>> {
    await this.#enter();
    const { fromMs = -Infinity, toMs = Infinity, service, status, limit } = query;
    const found = (this.documents[kind] as (Documents['change'] & Documents['incident'])[])
      .map((document) => ({ document, ms: Date.parse(document.at ?? document.startedAt) }))
      .filter(({ ms }) => ms >= fromMs && ms < toMs)
      .filter(({ document }) => status === undefined || document.status === status)
      .filter(({ document }) => {
        const services = document.services ?? [document.service];
        return service === undefined || services.some((id) => entityMatches(id, service));
      })
      .toSorted((a, b) => b.ms - a.ms)
      .map(({ document }) => structuredClone(document));
    return { items: found.slice(0, limit) as unknown as Documents[K][], nextCursor: found.length > limit ? 'more' : null };
  }

  async get<K extends DocumentKind>(kind: K, key: string): Promise<Documents[K] | undefined> {
    await this.#enter();
    const named = (this.documents[kind] as { id?: string; incidentId?: string | null }[]).filter(
      ({ id, incidentId }) => (kind === 'report' ? incidentId : id) === key,
    );
    return structuredClone(named.at(-1)) as Documents[K] | undefined;
  }

  async put<K extends DocumentKind>(kind: K, document: Documents[K]): Promise<void> {
    await this.#enter();
    this.documents[kind].push(structuredClone(document));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
