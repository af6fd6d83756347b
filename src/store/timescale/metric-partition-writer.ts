import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { MetricBatch } from '../../model/metric.ts';
import type { MetricStoreWriter } from '../metric-store.ts';
import { METRIC_STORE } from '../metrics.ts';
import { PointBuffer } from '../point-buffer.ts';
import { PointList } from '../point-list.ts';
import type { DatabaseConfig } from './config.ts';
import type { Database, Session } from './database.ts';
import { removeOldPoints, removeStaleSeries } from './metric-retention.ts';
import { MetricRows } from './metric-rows.ts';
import { MetricSeriesTable } from './metric-series-table.ts';
import type { SeenRange, SeriesChanges } from './metric-series-table.ts';
import { isStorableTime, storedTime } from './metric-time.ts';
import type { Claim, PartitionKey } from './progress.ts';
import { advance, claimPartition, readProgress } from './progress.ts';

export interface MetricPartitionWriterOptions extends PartitionKey {
  database: Database;
  /** Who claims the partition, for people who look at the table. */
  owner: string;
  config: Pick<DatabaseConfig, 'batch_rows'>;
  /** Series of the whole database; processes that make some at the same moment may pass it by theirs. */
  maxSeries: number;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** Late points replace some in compressed chunks; the server's limit on what that unpacks would refuse them for ever. */
const UNPACK_ALL = 'SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0';

class MetricPartitionWriter implements MetricStoreWriter {
  readonly #options: MetricPartitionWriterOptions;
  readonly #buffer = new PointBuffer();
  readonly #rows = new MetricRows();
  readonly #points = new PointList();
  readonly #series: MetricSeriesTable;
  #claim: Claim;
  #hasWarned = false;

  constructor(options: MetricPartitionWriterOptions, claim: Claim) {
    this.#options = options;
    this.#claim = claim;
    this.#series = new MetricSeriesTable(options.partition, options.maxSeries);
  }

  offset(): number {
    return this.#claim.nextOffset;
  }

  isFull(): boolean {
    return this.#buffer.count >= this.#options.config.batch_rows;
  }

  observe(batch: MetricBatch, recordOffset: number): void {
    if (recordOffset < this.offset()) return;
    for (let row = 0; row < batch.count; row++) {
      const slot = this.#series.slotOf(batch, batch.series[row] as number);
      const time = batch.timestamp[row] as number;
      // Adding 0 makes 0 of -0, which JSON does not tell apart either.
      this.#buffer.push(slot, storedTime(time), (batch.value[row] as number) + 0, batch.start[row] as number);
    }
  }

  async commit(nextOffset: number): Promise<void> {
    if (nextOffset <= this.offset()) return;
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      await this.#store(nextOffset);
    } catch (error) {
      metrics.add(METRIC_STORE.commitFailures, 1, { code: error instanceof HeliosError ? error.code : 'internal' });
      throw error;
    }
    this.#buffer.clear();
    this.#rows.clear();
    // What is no longer sent must not stay for ever; what is comes back with its next point.
    if (this.#series.slotCount > this.#options.maxSeries) this.#series.clear();
    metrics.observe(METRIC_STORE.commitSeconds, (clock.monotonicMs() - startMs) / 1000);
  }

  async retain(beforeMs: number): Promise<void> {
    const { database, partition } = this.#options;
    const removed = await this.#transaction(this.offset(), async (session) => {
      return removeStaleSeries(session, { partition, beforeMs });
    });
    this.#series.forgetRows((id) => removed.has(id));
    await removeOldPoints(database, { partition, beforeMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #store(nextOffset: number): Promise<void> {
    const { logger } = this.#options;
    let changes: SeriesChanges | undefined;
    let dropped = 0;
    try {
      await this.#transaction(nextOffset, async (session) => {
        ({ changes, dropped } = await this.#write(session));
      });
    } catch (error) {
      const stored = await this.#ownProgress();
      if (stored === undefined || stored === this.offset()) throw error;
      // A commit whose answer was lost, this one or one before. What it stored may be stored again: points replace themselves.
      logger.warn('a commit of points was stored although it failed', { nextOffset: stored, reason: String(error) });
      this.#claim = { ...this.#claim, nextOffset: stored };
      if (stored < nextOffset) await this.#store(nextOffset);
      return;
    }
    this.#claim = { ...this.#claim, nextOffset };
    if (changes !== undefined) this.#settle(changes, dropped);
  }

  /** One that stores something only while the partition is this writer's. */
  #transaction<T>(nextOffset: number, work: (session: Session) => Promise<T>): Promise<T> {
    const { database } = this.#options;
    return database.transaction(async (session) => {
      if (database.supports.timescale !== null) await session.query(UNPACK_ALL);
      await advance(session, this.#options, this.#claim, nextOffset);
      return work(session);
    });
  }

  async #write(session: Session): Promise<{ changes: SeriesChanges; dropped: number }> {
    const { order, ends } = this.#buffer.bySlot(this.#series.slotCount);
    const rowsOf = (slot: number): Uint32Array => order.subarray(slot === 0 ? 0 : ends[slot - 1], ends[slot]);
    const ranges: SeenRange[] = [];
    for (let slot = 0; slot < this.#series.slotCount; slot++) {
      const rows = rowsOf(slot);
      if (rows.length > 0) ranges.push({ slot, ...this.#rangeOf(rows) });
    }
    const changes = await this.#series.store(session, ranges);
    this.#rows.clear();
    let dropped = 0;
    for (const { slot } of ranges) {
      const id = this.#series.idOf(slot, changes);
      if (id === 0) dropped += rowsOf(slot).length;
      else this.#pushPoints(id, rowsOf(slot));
    }
    await this.#rows.store(session);
    return { changes, dropped };
  }

  #rangeOf(rows: Uint32Array): { firstMs: number; lastMs: number } {
    let [firstMs, lastMs] = [Infinity, -Infinity];
    for (const row of rows) {
      const time = this.#buffer.times[row] as number;
      firstMs = Math.min(firstMs, time);
      lastMs = Math.max(lastMs, time);
    }
    return { firstMs, lastMs };
  }

  #pushPoints(id: number, order: Uint32Array): void {
    const { times, values, starts } = this.#buffer;
    this.#points.clear();
    for (const at of order) {
      const time = times[at] as number;
      if (isStorableTime(time)) this.#points.push(time, values[at] as number, starts[at] as number);
    }
    this.#points.settle();
    this.#rows.push(id, this.#points);
  }

  /** The offset in the database while this writer is the one that moves it; undefined when it is not, or nobody can say. */
  async #ownProgress(): Promise<number | undefined> {
    try {
      const progress = await readProgress(this.#options.database, this.#options);
      return progress?.epoch === this.#claim.epoch ? progress.nextOffset : undefined;
    } catch {
      return undefined;
    }
  }

  #settle(changes: SeriesChanges, dropped: number): void {
    const { logger, metrics, maxSeries } = this.#options;
    this.#series.settle(changes);
    metrics.add(METRIC_STORE.points, this.#rows.count);
    if (changes.total >= 0) metrics.set(METRIC_STORE.series, changes.total);
    if (dropped === 0) return;
    metrics.add(METRIC_STORE.droppedPoints, dropped);
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    logger.warn('points of new metric series are dropped: there are store.max_series series already', { maxSeries });
  }
}

/**
 * Claims a partition of the metrics topic for its group, and opens the writer of its points; whoever had it before commits nothing any
 * more. `offset()` is where reading goes on. Every method may reject with what `Database` does, and with `conflict` once another has
 * claimed the partition.
 */
export async function openMetricPartitionWriter(options: MetricPartitionWriterOptions): Promise<MetricStoreWriter> {
  const { database, owner } = options;
  return new MetricPartitionWriter(options, await claimPartition(database, options, owner));
}
