import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Event } from '../../model/event.ts';
import type { Rollup } from '../../model/rollup.ts';
import type { EventSource } from '../../model/event-block.ts';
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
import { metricsQuestion } from '../rollup/metric-series.ts';
import { rollupsQuestion, servicesQuestion, withEndpoints } from '../rollup/service-list.ts';
import { openDatabase, snapshot, transaction } from './database.ts';
import { DocumentWriter, getDocument, listDocuments } from './documents.ts';
import { EventSearch } from './event-search.ts';
import { openModelStore } from './models.ts';
import type { RecordStore } from '../record-store.ts';
import { markDamaged } from './quarantine.ts';
import { openRecordStore } from './records.ts';
import { RollupReader } from './rollup-reader.ts';
import { isCorrupt, storeError } from './sqlite-errors.ts';
import { listTemplates } from './templates.ts';

export interface EmbeddedStoreOptions {
  /** The directory that a store writer has opened. */
  dir: string;
  /** Closed with the store. */
  source: EventSource;
  /** Next offset after the last durable record of the log. */
  committedOffset: () => number;
  clock: Clock;
  logger: Logger;
  /** Bytes one event query may read before it hands back a partial page; 1 GiB by default. */
  maxScanBytes?: number;
}

class EmbeddedStore implements Store {
  readonly models: ModelStore;
  readonly records: RecordStore;
  readonly #options: EmbeddedStoreOptions;
  readonly #database: DatabaseSync;
  readonly #rollups: RollupReader;
  readonly #documents: DocumentWriter;
  readonly #search: EventSearch;
  /** Endpoint names by dictionary id; ids never change their meaning. */
  readonly #endpointNames = new Map<number, string>();

  constructor(options: EmbeddedStoreOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
    this.#rollups = new RollupReader(database);
    this.#documents = new DocumentWriter(database);
    this.#search = new EventSearch(options);
    this.models = openModelStore(database);
    this.records = openRecordStore(database);
  }

  services(query: { fromMs: number; toMs: number }): Promise<ServiceSummary[]> {
    return this.#read('list services', () => this.#rollups.answer(servicesQuestion(query, this.#rollups.entities())));
  }

  metrics(query: MetricsQuery): Promise<MetricsAnswer> {
    return this.#read('read metrics', () => this.#rollups.answer(metricsQuestion(query, this.#rollups.entities())));
  }

  rollups(query: { service: string; fromMs: number; toMs: number; stepMs: number }): Promise<Rollup[]> {
    return this.#read('read rollups', () => {
      const rollups = this.#rollups.answer(rollupsQuestion(query, this.#rollups.entities()));
      return withEndpoints(rollups, (id) => this.#endpointName(id));
    });
  }

  async events(query: EventQuery): Promise<Page<Event>> {
    return this.#search.page(query);
  }

  templates(query: TemplateQuery): Promise<TemplateSummary[]> {
    return this.#read('list templates', () => listTemplates(this.#database, query));
  }

  list<K extends DocumentKind>(kind: K, query: ListQuery): Promise<Page<Documents[K]>> {
    return this.#read(`list documents of kind ${kind}`, () => listDocuments(this.#database, kind, query));
  }

  get<K extends DocumentKind>(kind: K, key: string, version?: number): Promise<Documents[K] | undefined> {
    return this.#read(`read ${kind} ${key}`, () => getDocument(this.#database, kind, key, version));
  }

  async put<K extends DocumentKind>(kind: K, document: Documents[K]): Promise<void> {
    this.#attempt(`store a document of kind ${kind}`, () =>
      transaction(this.#database, () => this.#documents.put(kind, document)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.source.close();
    this.#database.close();
  }

  async #read<T>(action: string, work: () => T): Promise<T> {
    return this.#attempt(action, () => snapshot(this.#database, work));
  }

  #attempt<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const failure = storeError(action, error);
      if (isCorrupt(failure)) {
        this.#options.logger.error('the database is damaged: it will be rebuilt at the next start', { reason: failure.message });
        markDamaged(this.#options.dir);
      }
      throw failure;
    }
  }

  #endpointName(id: number): string {
    let name = this.#endpointNames.get(id);
    if (name === undefined) {
      name = this.#database.prepare('SELECT name FROM endpoint WHERE id = ?').get(id)?.['name'] as string;
      this.#endpointNames.set(id, name);
    }
    return name;
  }
}

/**
 * Opens the reading side of the embedded store over a connection of its own: it sees what the writer has committed. Open the
 * writer first: it is the one that sets a damaged database aside.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const database = openDatabase({ dir: options.dir });
  try {
    return new EmbeddedStore(options, database);
  } catch (error) {
    database.close();
    throw storeError('open the store', error);
  }
}
