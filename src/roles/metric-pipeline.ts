import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { LogReader, LogRecord } from '../log/event-log.ts';
import type { MetricBatch } from '../model/metric.ts';
import type { MetricScanner } from '../model/metric-scanner.ts';
import type { MetricStoreWriter } from '../store/metric-store.ts';
import type { CommitPatience } from './disk-patience.ts';
import { METRIC_PIPELINE_LAG, METRIC_PIPELINE_POINTS, METRIC_PIPELINE_SKIPPED } from './metrics.ts';

/** Read at once; bounds how long events and people's commands wait behind points. */
const READ_BYTES = 2 * 1024 * 1024;

export interface MetricPipelineOptions {
  /** Of the metrics log. */
  reader: LogReader;
  writer: MetricStoreWriter;
  scanner: MetricScanner;
  clock: Clock;
  committedOffset: () => number;
  /** Offset from which the detector has to see records again. */
  watchedOffset: number;
  /** Called with every record, after the writer has it; the batch is valid until it resolves. */
  watch: (batch: MetricBatch, record: LogRecord) => Promise<void>;
  commitIntervalMs: number;
  logger: Logger;
  metrics: Metrics;
  patience: CommitPatience;
  /** Called after every commit; a restart would read from `nextOffset`. */
  onProgress: (nextOffset: number) => void;
}

/**
 * Reads the metrics log into the metric store. Points are committed with the offset that they stem from, so a crash repeats work
 * but stores nothing twice and leaves nothing out.
 */
export class MetricPipeline {
  readonly #options: MetricPipelineOptions;
  #nextOffset: number;
  #isDirty = false;
  #lastCommitMs: number;

  constructor(options: MetricPipelineOptions) {
    this.#options = options;
    this.#nextOffset = options.reader.seek(Math.min(options.writer.offset(), options.watchedOffset));
    this.#lastCommitMs = options.clock.monotonicMs();
    options.onProgress(options.writer.offset());
  }

  /** Handles what is committed now, up to one read; false when there was nothing. */
  async step(): Promise<boolean> {
    const { reader, writer, scanner, metrics, committedOffset, watch } = this.#options;
    const records = await reader.read(committedOffset(), READ_BYTES);
    if (records === null) return false;
    let skippedLines = 0;
    let points = 0;
    for (const record of records) {
      const { position } = record;
      const scan = scanner.scan(record.bytes);
      writer.observe(scan.batch, position.offset);
      await watch(scan.batch, record);
      skippedLines += scan.skippedLines;
      points += scan.batch.count;
      this.#nextOffset = position.offset + 1;
      this.#isDirty = true;
      if (writer.isFull()) await this.commit();
    }
    metrics.add(METRIC_PIPELINE_POINTS, points);
    if (skippedLines > 0) this.#reportSkipped(skippedLines);
    await this.tick();
    return true;
  }

  /** Commits what was observed when it is time to. */
  async tick(): Promise<void> {
    const { clock, commitIntervalMs } = this.#options;
    if (this.#isDirty && clock.monotonicMs() - this.#lastCommitMs >= commitIntervalMs) await this.commit();
  }

  /** Commits what was observed so far. */
  async commit(): Promise<void> {
    if (!this.#isDirty) return;
    const { writer, patience, clock, metrics, committedOffset, onProgress } = this.#options;
    await patience.commit(() => writer.commit(this.#nextOffset));
    this.#lastCommitMs = clock.monotonicMs();
    this.#isDirty = false;
    metrics.set(METRIC_PIPELINE_LAG, committedOffset() - this.#nextOffset);
    onProgress(this.#nextOffset);
  }

  retain(beforeMs: number): Promise<void> {
    return this.#options.writer.retain(beforeMs);
  }

  /** The doors write no such lines: it is damage, or another program's log. */
  #reportSkipped(lines: number): void {
    const { logger, metrics } = this.#options;
    metrics.add(METRIC_PIPELINE_SKIPPED, lines);
    logger.error('lines of the metrics log cannot be read: skipped', { lines, beforeOffset: this.#nextOffset });
  }
}
