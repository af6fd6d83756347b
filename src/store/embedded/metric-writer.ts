import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { MetricBatch } from '../../model/metric.ts';
import type { StoreConfig } from '../config.ts';
import type { MetricStoreWriter } from '../metric-store.ts';
import { METRIC_STORE } from '../metrics.ts';
import { databasePath, METRIC_DATABASE, transaction } from './database.ts';
import { BlockMerger, BlockWriter, chunkKey } from './metric-blocks.ts';
import { decodeTail, encodeTail } from './metric-tail.ts';
import { PointBuffer } from '../point-buffer.ts';
import { markDamaged, openOrReplace } from './quarantine.ts';
import { SeriesRegistry } from './series-registry.ts';
import { isCorrupt, storeError } from './sqlite-errors.ts';

/** Points kept in memory and in tails before they become a block: 28 bytes each. */
const BLOCK_POINTS = 1_048_576;
/** Tails before they become a block, however small: 20 minutes of commits once a second. */
const BLOCK_TAILS = 1200;
/** Points that a commit merges at least, and per point that it stores. */
const MERGE_POINTS = 65_536;
const MERGE_POINTS_PER_POINT = 2;

export interface MetricWriterOptions {
  /** Holds the database file; created when missing. */
  dir: string;
  config: Pick<StoreConfig, 'max_series'>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Largest size of the database file; past it `commit` rejects with `disk_full`. Unlimited by default. */
  maxBytes?: number;
  /** Sizes at which points become a block, and points that a commit merges; for tests. */
  blockPoints?: number;
  blockTails?: number;
  mergePoints?: number;
}

class EmbeddedMetricWriter implements MetricStoreWriter {
  readonly #options: MetricWriterOptions;
  readonly #database: DatabaseSync;
  readonly #registry: SeriesRegistry;
  readonly #buffer = new PointBuffer();
  readonly #blocks: BlockWriter;
  readonly #merger: BlockMerger;
  readonly #insertSeries: StatementSync;
  readonly #insertSeen: StatementSync;
  readonly #insertTail: StatementSync;
  readonly #advance: StatementSync;
  readonly #readSize: StatementSync;
  readonly #blockPoints: number;
  readonly #blockTails: number;
  /** Points at the front of the buffer that tails hold. */
  #stored = 0;
  #tails = 0;
  #offset = 0;
  #commits = 0;
  /** Whether what is in memory becomes a block with the next commit, so that retention finds it. */
  #isBlockDue = false;
  #dropped = 0;
  #hasWarned = false;

  constructor(options: MetricWriterOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
    this.#blockPoints = options.blockPoints ?? BLOCK_POINTS;
    this.#blockTails = options.blockTails ?? BLOCK_TAILS;
    this.#registry = new SeriesRegistry(options.config.max_series);
    this.#blocks = new BlockWriter(database);
    this.#merger = new BlockMerger(database);
    this.#insertSeries = database.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.#insertSeen = database.prepare('INSERT OR REPLACE INTO series_seen VALUES (?, ?, ?)');
    this.#insertTail = database.prepare('INSERT INTO tail VALUES (?, ?, ?, ?)');
    this.#advance = database.prepare(
      'UPDATE progress SET next_offset = ?, commits = commits + 1, next_series = ? WHERE commits = ?',
    );
    this.#readSize = database.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
    this.#registry.load(database);
    this.#loadTails();
    ({ offset: this.#offset, commits: this.#commits } = this.#readProgress());
    options.metrics.set(METRIC_STORE.series, this.#registry.size);
  }

  offset(): number {
    return this.#offset;
  }

  isFull(): boolean {
    return this.#buffer.count >= this.#blockPoints;
  }

  observe(batch: MetricBatch, recordOffset: number): void {
    if (recordOffset < this.#offset) return;
    const registry = this.#registry;
    for (let row = 0; row < batch.count; row++) {
      const slot = registry.slotOf(batch, batch.series[row] as number);
      if (slot < 0) {
        this.#dropped++;
        continue;
      }
      const time = batch.timestamp[row] as number;
      registry.touch(slot, time);
      this.#buffer.push(slot, time, batch.value[row] as number, batch.start[row] as number);
    }
  }

  async commit(nextOffset: number): Promise<void> {
    if (nextOffset < this.#offset) {
      assert(this.#buffer.count === this.#stored, 'a replay below the committed offset observes nothing');
      return;
    }
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    const added = this.#buffer.count - this.#stored;
    const becomesBlock =
      this.#buffer.count > 0 && (this.isFull() || this.#isBlockDue || (added > 0 && this.#tails + 1 >= this.#blockTails));
    this.#attempt('commit points', () => this.#writeOnce(nextOffset, becomesBlock));
    this.#offset = nextOffset;
    this.#commits++;
    this.#registry.settle();
    if (becomesBlock) {
      this.#buffer.clear();
      this.#tails = 0;
      this.#isBlockDue = false;
    } else if (added > 0) this.#tails++;
    this.#stored = this.#buffer.count;
    metrics.observe(METRIC_STORE.commitSeconds, (clock.monotonicMs() - startMs) / 1000);
    metrics.add(METRIC_STORE.points, added);
    metrics.set(METRIC_STORE.offset, nextOffset);
    metrics.set(METRIC_STORE.series, this.#registry.size);
    this.#reportDropped();
    this.#reportSize();
  }

  async retain(beforeMs: number): Promise<void> {
    const inMemory = new Set(this.#buffer.slots.subarray(0, this.#buffer.count));
    const stale = this.#registry.staleSlots(beforeMs).filter((slot) => !inMemory.has(slot));
    this.#isBlockDue ||= this.#buffer.range(0).minMs < beforeMs;
    this.#attempt('remove old points', () => {
      transaction(this.#database, () => this.#removeBefore(beforeMs, stale));
      this.#merger.restart();
      this.#database.exec('PRAGMA incremental_vacuum');
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    });
    this.#registry.remove(stale);
    this.#options.metrics.set(METRIC_STORE.series, this.#registry.size);
    this.#reportSize();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #writeOnce(nextOffset: number, becomesBlock: boolean): void {
    let isWritten = false;
    try {
      transaction(this.#database, () => {
        this.#write(nextOffset, becomesBlock);
        isWritten = true;
      });
    } catch (error) {
      this.#merger.restart();
      // A commit whose error came after it was stored counts as stored: a retry would store its points twice.
      if (!isWritten || this.#readProgress().commits !== this.#commits + 1) throw error;
      this.#options.logger.warn('a commit of points failed after it was stored', { nextOffset, reason: String(error) });
    }
  }

  #write(nextOffset: number, becomesBlock: boolean): void {
    const { changes } = this.#advance.run(nextOffset, this.#registry.nextId, this.#commits);
    if (changes !== 1) throw new HeliosError('conflict', 'cannot commit points: another writer has the database');
    this.#registry.write(this.#insertSeries, (slot) => this.#writeSeen(slot));
    const added = this.#buffer.count - this.#stored;
    if (becomesBlock) {
      this.#blocks.write(this.#buffer, this.#registry.ids);
      for (const slot of new Set(this.#buffer.slots.subarray(0, this.#buffer.count))) this.#writeSeen(slot);
      this.#database.exec('DELETE FROM tail');
    } else if (added > 0) {
      const { minMs, maxMs } = this.#buffer.range(this.#stored);
      // Numbers of commits are never used again, as readers that keep tails rely on.
      this.#insertTail.run(this.#commits + 1, minMs, maxMs, encodeTail(this.#newPoints()));
    }
    this.#merger.run(this.#options.mergePoints ?? MERGE_POINTS + MERGE_POINTS_PER_POINT * added);
  }

  #newPoints(): Parameters<typeof encodeTail>[0] {
    const { count, slots, times, values, starts } = this.#buffer;
    const from = this.#stored;
    const series = Uint32Array.from(slots.subarray(from, count), (slot) => this.#registry.ids[slot] as number);
    return {
      count: count - from,
      series,
      times: times.subarray(from, count),
      values: values.subarray(from, count),
      starts: starts.subarray(from, count),
    };
  }

  #writeSeen(slot: number): void {
    const { ids, firstMs, lastMs } = this.#registry;
    this.#insertSeen.run(ids[slot] as number, firstMs[slot] as number, lastMs[slot] as number);
  }

  #removeBefore(beforeMs: number, stale: readonly number[]): void {
    const database = this.#database;
    const blocks = database.prepare('SELECT id FROM block WHERE max_ms < ?').all(beforeMs) as { id: number }[];
    const deleteChunks = database.prepare('DELETE FROM chunk WHERE key >= ? AND key < ?');
    for (const { id } of blocks) deleteChunks.run(chunkKey(id, 0), chunkKey(id + 1, 0));
    database.prepare('DELETE FROM block WHERE max_ms < ?').run(beforeMs);
    const deleteSeries = database.prepare('DELETE FROM series WHERE id = ?');
    const deleteSeen = database.prepare('DELETE FROM series_seen WHERE id = ?');
    for (const slot of stale) {
      deleteSeries.run(this.#registry.ids[slot] as number);
      deleteSeen.run(this.#registry.ids[slot] as number);
    }
  }

  #loadTails(): void {
    const slots = this.#registry.slotsById();
    for (const { data } of this.#database.prepare('SELECT data FROM tail ORDER BY id').iterate()) {
      const { count, series, times, values, starts } = decodeTail(data as Uint8Array);
      for (let row = 0; row < count; row++) {
        const slot = slots.get(series[row] as number);
        if (slot === undefined) throw new HeliosError('corrupt_data', 'cannot read a tail of points: unknown series');
        this.#registry.touch(slot, times[row] as number);
        this.#buffer.push(slot, times[row] as number, values[row] as number, starts[row] as number);
      }
      this.#tails++;
    }
    this.#stored = this.#buffer.count;
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const { logger, metrics, config } = this.#options;
    metrics.add(METRIC_STORE.droppedPoints, this.#dropped);
    this.#dropped = 0;
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    logger.warn('points of new metric series are dropped: there are store.max_series series already', {
      maxSeries: config.max_series,
    });
  }

  #reportSize(): void {
    this.#options.metrics.set(METRIC_STORE.databaseBytes, this.#readSize.get()?.['bytes'] as number);
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
      this.#options.metrics.add(METRIC_STORE.commitFailures, 1, { code: failure.code });
      if (isCorrupt(failure)) markDamaged(this.#options.dir, METRIC_DATABASE);
      throw failure;
    }
  }
}

/**
 * Opens the writer side of the metric store: one per data directory, in the thread that reads the metrics log, before any reader.
 * A damaged database is set aside and rebuilt: `offset()` is then 0 again.
 */
export async function openMetricWriter(options: MetricWriterOptions): Promise<MetricStoreWriter> {
  try {
    return openWriter(options);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    // Damage that shows only when tables are read.
    markDamaged(options.dir, METRIC_DATABASE);
    return openWriter(options);
  }
}

function openWriter(options: MetricWriterOptions): MetricStoreWriter {
  const database = openOrReplace({ ...options, kind: METRIC_DATABASE });
  try {
    return new EmbeddedMetricWriter(options, database);
  } catch (error) {
    database.close();
    throw storeError(`open ${databasePath(options.dir, METRIC_DATABASE)}`, error);
  }
}
