import type { Anomaly } from '../model/anomaly.ts';
import type { Event } from '../model/event.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { ModelRecord, StoredModel } from '../model/model-record.ts';
import type { Report } from '../model/report.ts';
import type { Rollup } from '../model/rollup.ts';
import type { TemplateCount } from '../model/template.ts';
import type { RecordStore } from './record-store.ts';

/** Documents kept whole, by kind; each has a key and a time by which lists are sorted, newest first. */
export interface Documents {
  anomaly: Anomaly;
  incident: Incident;
  change: Change;
  /** Key: incident id; one row a version, `get` answers the newest. */
  report: Report;
}
export type DocumentKind = keyof Documents;

export interface ListQuery {
  /** Inclusive and exclusive, milliseconds since the epoch. */
  fromMs?: number;
  toMs?: number;
  /** Entity id or bare service name. */
  service?: string;
  /** Anomaly state, incident status, … */
  status?: string;
  /** Of reports. */
  verdict?: Report['verdict'];
  /** Words, all of which the Markdown of a report has, in any case and any order; the beginning of one is enough. */
  text?: string;
  /** 1..1000. */
  limit: number;
  cursor?: string;
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface EventQuery {
  fromMs?: number;
  toMs?: number;
  service?: string;
  /** Level codes (model/event.ts); empty means all. */
  levels: number[];
  endpoint?: string;
  /** Case-insensitive substring of the message. */
  text?: string;
  limit: number;
  cursor?: string;
}

/**
 * Buckets start at multiples of `stepMs` since the epoch, and [fromMs, toMs) is widened to whole ones; a range exactly one
 * step wide that starts at a multiple of 10 s is one bucket as asked, wherever it starts.
 */
export interface MetricsQuery {
  fromMs: number;
  toMs: number;
  /** Entity id or bare service name; absent: every entity. */
  service?: string;
  /** Feature names; empty means all. */
  names: string[];
  /** Milliseconds, a multiple of SUB_WINDOW_MS. */
  stepMs: number;
}

export interface MetricSeries {
  name: string;
  labels: { service: string };
  unit: string;
  /** [bucket start in ms since the epoch, value or null], one entry a step from the first bucket of `fromMs` on. */
  points: [number, number | null][];
}

export interface MetricsAnswer {
  stepMs: number;
  series: MetricSeries[];
}

export interface ServiceSummary {
  service: string;
  firstSeen: string;
  lastSeen: string;
  /** Over the query's range. */
  eventCount: number;
  errorCount: number;
}

export interface TemplateQuery {
  service?: string;
  fromMs: number;
  toMs: number;
  limit: number;
}

export interface TemplateSummary {
  service: string;
  templateId: string;
  template: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
  example: string;
}

/**
 * Reads, and small writes that do not come from the log. Safe to call while a StoreWriter writes.
 * A malformed cursor rejects with `invalid_argument`, one that retention has passed with `gone`.
 */
export interface Store extends AsyncDisposable {
  services(query: { fromMs: number; toMs: number }): Promise<ServiceSummary[]>;
  /**
   * Window features by bucket; quantiles nearest-rank within 1.6 %, every other number exact. A bucket without events has
   * event_count and unique_endpoints 0 and null for rates and latencies. event_velocity is (count - count of the bucket
   * before) / step in seconds. Every known entity has its series. Too many points: `invalid_argument`, field "step".
   */
  metrics(query: MetricsQuery): Promise<MetricsAnswer>;
  /** Newest first by event time, then by log position. A page may be short and still have a cursor, after a long search. */
  events(query: EventQuery): Promise<Page<Event>>;
  /** Most frequent first; first and last seen are within the whole retention, to the minute. */
  templates(query: TemplateQuery): Promise<TemplateSummary[]>;
  list<K extends DocumentKind>(kind: K, query: ListQuery): Promise<Page<Documents[K]>>;
  /** In its newest version, or in the one asked for. */
  get<K extends DocumentKind>(kind: K, key: string, version?: number): Promise<Documents[K] | undefined>;
  /** Inserts or replaces. Anomalies and incidents come through the writer; this is for reports and changes. */
  put<K extends DocumentKind>(kind: K, document: Documents[K]): Promise<void>;
  models: ModelStore;
  records: RecordStore;
  /** Sub-window rollups of an entity in [fromMs, toMs), ascending, those with events: what models are trained on. */
  rollups(query: { service: string; fromMs: number; toMs: number; stepMs: number }): Promise<Rollup[]>;
}

export interface ModelStore {
  list(): Promise<ModelRecord[]>;
  get(version: string): Promise<StoredModel | undefined>;
  /** Stores under the next version, which it returns; the record's own `version` is ignored. */
  add(model: StoredModel): Promise<string>;
  /** Makes it the one active version of its service; `not_found` when unknown. */
  activate(version: string): Promise<ModelRecord>;
  /** Makes the version active that was before the present one; `not_found` without an active one, `conflict` without one before. */
  rollBack(service: string): Promise<ModelRecord>;
}

/** What the pipeline commits together with the log offset it stems from. */
export interface StoreUpdate {
  anomalies: Anomaly[];
  incidents: Incident[];
  changes: Change[];
  /** Added to what is stored for their minute. */
  templates: TemplateCount[];
  /** Each is stored under the next version, whatever its record says; an active one replaces its service's. */
  models: StoredModel[];
  /** The detector's state as of `offset`, or null to leave the stored one. */
  checkpoint: Uint8Array | null;
}

/**
 * The one writer of what is derived from the log, used in the thread that reads it.
 * Exactly once: `commit` stores rollups, documents, checkpoint and offset in one transaction, and a restart goes on from there.
 */
export interface StoreWriter extends AsyncDisposable {
  /** Offset after the last record whose rollups are committed; 0 for an empty store. */
  offset(): number;
  /** The last checkpoint and the offset it belongs to. */
  checkpoint(): { payload: Uint8Array; offset: number } | undefined;
  /** Adds a scanned record to the rollups in memory. Records below `offset()` are ignored. Late events count too. */
  observe(batch: EventBatch, recordOffset: number): void;
  /**
   * Commits everything observed, and `update`, as of `nextOffset`; below `offset()` it does nothing. Rejects with
   * `disk_full` and may then be called again: nothing is lost or counted twice.
   */
  commit(update: StoreUpdate, nextOffset: number): Promise<void>;
  /** Drops rollups, templates and documents older than `beforeMs`. */
  retain(beforeMs: number): Promise<void>;
}
