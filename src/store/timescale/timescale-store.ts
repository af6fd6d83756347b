import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Event } from '../../model/event.ts';
import type { Rollup } from '../../model/rollup.ts';
import type { StoreConfig } from '../config.ts';
import { metricsQuestion } from '../rollup/metric-series.ts';
import type { EntityRow, RollupQuestion } from '../rollup/rollup-question.ts';
import { rollupsQuestion, servicesQuestion, withEndpoints } from '../rollup/service-list.ts';
import type {
  DocumentKind,
  Documents,
  EventQuery,
  ListQuery,
  MetricsAnswer,
  MetricsQuery,
  ModelStore,
  Page,
  ServiceSummary,
  Store,
  TemplateQuery,
  TemplateSummary,
} from '../store.ts';
import type { RecordStore } from '../record-store.ts';
import type { Database, Session } from './database.ts';
import { getDocument, listDocuments } from './document-reader.ts';
import { putDocuments } from './document-writer.ts';
import type { SearchLimits } from './event-search.ts';
import { EventSearch } from './event-search.ts';
import { openModelStore } from './model-store.ts';
import { openRecordStore } from './records.ts';
import { answerFromRollups, readEntities } from './rollup-reader.ts';
import { snapshot } from './snapshot.ts';
import { listTemplates } from './template-reader.ts';

export interface TimescaleStoreOptions {
  /** Migrated; closed by whoever opened it. */
  database: Database;
  clock: Clock;
  logger: Logger;
  storeConfig: StoreConfig;
  /** Topic of events, and the consumer group that stores them: "events" and "storage-writers" by default. */
  topic?: string;
  group?: string;
  searchLimits?: SearchLimits;
}

class TimescaleStore implements Store {
  readonly models: ModelStore;
  readonly records: RecordStore;
  readonly #database: Database;
  readonly #search: EventSearch;

  constructor({ database, clock, searchLimits = {}, topic = 'events', group = 'storage-writers' }: TimescaleStoreOptions) {
    this.#database = database;
    this.#search = new EventSearch({ database, clock, topic, group, limits: searchLimits });
    this.models = openModelStore(database);
    this.records = openRecordStore(database);
  }

  services(query: { fromMs: number; toMs: number }): Promise<ServiceSummary[]> {
    return this.#answer((entities) => servicesQuestion(query, entities));
  }

  metrics(query: MetricsQuery): Promise<MetricsAnswer> {
    return this.#answer((entities) => metricsQuestion(query, entities));
  }

  rollups(query: { service: string; fromMs: number; toMs: number; stepMs: number }): Promise<Rollup[]> {
    return snapshot(this.#database, async (session) => {
      const entities = await readEntities(session);
      const rollups = await answerFromRollups(session, rollupsQuestion(query, entities), entities.length);
      const ids = [...new Set(rollups.flatMap(({ endpointIds }) => endpointIds))];
      const { rows } = await session.query('SELECT id, name FROM endpoints WHERE id = ANY($1::integer[])', [ids]);
      const names = new Map(rows.map(({ id, name }) => [id as number, name as string]));
      return withEndpoints(rollups, (id) => names.get(id) ?? 'other');
    });
  }

  events(query: EventQuery): Promise<Page<Event>> {
    return snapshot(this.#database, (session) => this.#search.page(session, query));
  }

  templates(query: TemplateQuery): Promise<TemplateSummary[]> {
    return snapshot(this.#database, (session) => listTemplates(session, query));
  }

  list<K extends DocumentKind>(kind: K, query: ListQuery): Promise<Page<Documents[K]>> {
    return snapshot(this.#database, (session) => listDocuments(session, kind, query));
  }

  get<K extends DocumentKind>(kind: K, key: string, version?: number): Promise<Documents[K] | undefined> {
    return snapshot(this.#database, (session) => getDocument(session, kind, key, version));
  }

  put<K extends DocumentKind>(kind: K, document: Documents[K]): Promise<void> {
    return this.#database.transaction((session) => putDocuments(session, kind, [document]));
  }

  /** The database is its opener's. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #answer<T>(ask: (entities: readonly EntityRow[]) => RollupQuestion<T>): Promise<T> {
    return snapshot(this.#database, async (session: Session) => {
      const entities = await readEntities(session);
      return answerFromRollups(session, ask(entities), entities.length);
    });
  }
}

/**
 * Opens the reading side of the store on TimescaleDB or PostgreSQL: it sees what the partition writers have committed. Every answer is of one
 * snapshot. Rejects with `unavailable` while the database is not there.
 */
export async function openTimescaleStore(options: TimescaleStoreOptions): Promise<Store> {
  return new TimescaleStore(options);
}
