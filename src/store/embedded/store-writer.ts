import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { EventBatch } from '../../model/event-batch.ts';
import type { StoreConfig } from '../config.ts';
import {
  COMMIT_FAILURES,
  COMMIT_SECONDS,
  COMMITTED_EVENTS,
  COMMITTED_OFFSET,
  DATABASE_BYTES,
  ROLLUP_ROWS_WRITTEN,
} from '../metrics.ts';
import type { StoreUpdate, StoreWriter } from '../store.ts';
import { RollupAccumulator } from '../rollup/accumulator.ts';
import { databasePath, transaction } from './database.ts';
import { Dictionary } from '../rollup/dictionary.ts';
import { packCheckpoint, unpackCheckpoint } from '../checkpoint-codec.ts';
import { DocumentWriter } from './documents.ts';
import { ModelWriter } from './models.ts';
import { markDamaged, openOrReplace } from './quarantine.ts';
import { removeBefore } from './retention.ts';
import { bucketOfKey, MAX_ENTITIES, SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import { NameWriter, RollupWriter } from './rollup-writer.ts';
import { isCorrupt, storeError } from './sqlite-errors.ts';
import { TemplateWriter } from './templates.ts';

const MAX_ENDPOINT_NAMES = 1_000_000;
const SUB_WINDOWS_PER_HOUR = 60 * SUB_WINDOWS_PER_MINUTE;

export interface StoreWriterOptions {
  /** Holds the database file; created when missing. */
  dir: string;
  config: StoreConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Largest size of the database file; past it `commit` rejects with `disk_full`. Unlimited by default. */
  maxBytes?: number;
}

interface NameRow {
  id: number;
  name: string;
}

class EmbeddedStoreWriter implements StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #database: DatabaseSync;
  readonly #entities = new Dictionary(MAX_ENTITIES - 1);
  readonly #endpoints = new Dictionary(MAX_ENDPOINT_NAMES);
  readonly #accumulator = new RollupAccumulator(this.#entities, this.#endpoints);
  readonly #rollups: RollupWriter;
  readonly #names: NameWriter;
  readonly #documents: DocumentWriter;
  readonly #templates: TemplateWriter;
  readonly #models: ModelWriter;
  readonly #advance: StatementSync;
  readonly #readCheckpoint: StatementSync;
  readonly #saveCheckpoint: StatementSync;
  readonly #readSize: StatementSync;
  #offset = 0;
  #commits = 0;
  /** Newest hour with events, a number since the epoch. */
  #newestHour = -Infinity;

  constructor(options: StoreWriterOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
    this.#rollups = new RollupWriter(database);
    this.#names = new NameWriter(database);
    this.#documents = new DocumentWriter(database);
    this.#templates = new TemplateWriter(database);
    this.#models = new ModelWriter(database);
    this.#advance = database.prepare('UPDATE progress SET next_offset = ?, commits = commits + 1 WHERE commits = ?');
    this.#readCheckpoint = database.prepare('SELECT next_offset, payload FROM checkpoint');
    this.#saveCheckpoint = database.prepare('INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)');
    this.#readSize = database.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
    this.#loadNames();
    ({ offset: this.#offset, commits: this.#commits } = this.#readProgress());
    const newest = database.prepare('SELECT max(key) AS key FROM open_hour').get()?.['key'];
    if (typeof newest === 'number') this.#newestHour = bucketOfKey(newest);
  }

  offset(): number {
    return this.#offset;
  }

  /** One that is damaged counts as none: the detector's state then comes from the log. */
  checkpoint(): { payload: Uint8Array; offset: number } | undefined {
    const row = this.#attempt('read the checkpoint', () => this.#readCheckpoint.get());
    if (!row) return undefined;
    try {
      return { payload: unpackCheckpoint(row['payload'] as Uint8Array), offset: row['next_offset'] as number };
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      this.#options.logger.error('the checkpoint is damaged: the state of the detector is rebuilt from the log');
      return undefined;
    }
  }

  observe(batch: EventBatch, recordOffset: number): void {
    if (recordOffset >= this.#offset) this.#accumulator.observe(batch);
  }

  async commit(update: StoreUpdate, nextOffset: number): Promise<void> {
    if (nextOffset < this.#offset) {
      assert(this.#accumulator.eventCount === 0, 'a replay below the committed offset observes nothing');
      return;
    }
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    const rows = this.#attempt('commit to the database', () => this.#writeOnce(update, nextOffset));
    this.#offset = nextOffset;
    this.#commits++;
    metrics.observe(COMMIT_SECONDS, (clock.monotonicMs() - startMs) / 1000);
    metrics.add(COMMITTED_EVENTS, this.#accumulator.eventCount);
    metrics.add(ROLLUP_ROWS_WRITTEN, rows);
    metrics.set(COMMITTED_OFFSET, nextOffset);
    this.#reportSize();
    this.#entities.settle();
    this.#endpoints.settle();
    this.#accumulator.clear();
  }

  async retain(beforeMs: number): Promise<void> {
    // While events wait for a commit they refer to entities by id, so none may go.
    const isIdle = this.#accumulator.eventCount === 0;
    this.#attempt('remove old rows', () => removeBefore(this.#database, beforeMs, { entities: isIdle }));
    this.#rollups.forgetOpenHours();
    if (isIdle) this.#loadNames();
    this.#reportSize();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #writeOnce(update: StoreUpdate, nextOffset: number): number {
    let isWritten = false;
    let rows = 0;
    try {
      transaction(this.#database, () => {
        rows = this.#write(update, nextOffset);
        isWritten = true;
      });
    } catch (error) {
      // A commit whose error came after it was stored counts as stored: a retry would count its events twice.
      if (!isWritten || this.#readProgress().commits !== this.#commits + 1) throw error;
      this.#options.logger.warn('a commit failed after it was stored', { nextOffset, reason: String(error) });
    }
    return rows;
  }

  #write(update: StoreUpdate, nextOffset: number): number {
    const rows = this.#rollups.write(this.#accumulator);
    this.#names.write(this.#accumulator, this.#entities, this.#endpoints);
    for (const anomaly of update.anomalies) this.#documents.put('anomaly', anomaly);
    for (const incident of update.incidents) this.#documents.put('incident', incident);
    for (const change of update.changes) this.#documents.put('change', change);
    for (const count of update.templates) this.#templates.add(count);
    for (const model of update.models) this.#models.add(model);
    if (update.checkpoint) this.#saveCheckpoint.run(nextOffset, packCheckpoint(update.checkpoint));
    this.#rollups.sealHours(this.#advanceNewestHour());
    const { changes } = this.#advance.run(nextOffset, this.#commits);
    if (changes !== 1) throw new HeliosError('conflict', 'cannot commit: another writer has the database');
    return rows;
  }

  #advanceNewestHour(): number {
    const { cells } = this.#accumulator;
    for (let cell = 0; cell < cells.size; cell++) {
      this.#newestHour = Math.max(this.#newestHour, Math.floor((cells.bucket[cell] as number) / SUB_WINDOWS_PER_HOUR));
    }
    return this.#newestHour;
  }

  #reportSize(): void {
    this.#options.metrics.set(DATABASE_BYTES, this.#readSize.get()?.['bytes'] as number);
  }

  #loadNames(): void {
    this.#entities.load(this.#database.prepare('SELECT id, name FROM entity').all() as unknown as NameRow[]);
    this.#endpoints.load(this.#database.prepare('SELECT id, name FROM endpoint').all() as unknown as NameRow[]);
    this.#accumulator.forgetIds();
  }

  #readProgress(): { offset: number; commits: number } {
    const row = this.#database.prepare('SELECT next_offset, commits FROM progress').get();
    return { offset: row?.['next_offset'] as number, commits: row?.['commits'] as number };
  }

  #attempt<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const failure = storeError(action, error);
      this.#rollups.forgetOpenHours();
      this.#options.metrics.add(COMMIT_FAILURES, 1, { code: failure.code });
      if (isCorrupt(failure)) markDamaged(this.#options.dir);
      throw failure;
    }
  }
}

/**
 * Opens the writer side of the embedded store: one per data directory, in the thread that reads the log, before any reader.
 * A damaged database is set aside and rebuilt: `offset()` is then 0 again.
 */
export async function openStoreWriter(options: StoreWriterOptions): Promise<StoreWriter> {
  try {
    return openWriter(options);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    // Damage that shows only when tables are read.
    markDamaged(options.dir);
    return openWriter(options);
  }
}

function openWriter(options: StoreWriterOptions): StoreWriter {
  const database = openOrReplace(options);
  try {
    const writer = new EmbeddedStoreWriter(options, database);
    // Spans many pages: damage there has to be found before the file is in use.
    writer.checkpoint();
    return writer;
  } catch (error) {
    database.close();
    throw storeError(`open ${databasePath(options.dir)}`, error);
  }
}
