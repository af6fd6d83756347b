import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Detector, DetectorCommand, DetectorOutput } from '../detect/detector.ts';
import { DETECT_METRICS } from '../detect/metrics.ts';
import { decodePartial } from '../detect/partial-record.ts';
import type { AddressedPartial, RecordOrigin } from '../detect/partial-record.ts';
import type { LogReader, LogRecord } from '../log/event-log.ts';
import type { AlertMessage } from '../model/alert.ts';
import type { Incident } from '../model/incident.ts';
import type { MetricBatch } from '../model/metric.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import type { Scanner } from '../model/scanner.ts';
import type { StoreUpdate, StoreWriter } from '../store/store.ts';
import { DiskPatience } from './disk-patience.ts';
import type { CommitPatience } from './disk-patience.ts';
import { PIPELINE_EVENTS, PIPELINE_LAG } from './metrics.ts';

/** Read at once; bounds how long a person's command waits behind events. */
const READ_BYTES = 4 * 1024 * 1024;
/** Of the pipeline's time that goes into checkpoints. */
const MAX_CHECKPOINT_SHARE = 0.05;
/** A stream further behind the wall clock is history being loaded, or late as a whole: its own time is the only one. */
export const LIVE_WITHIN_MS = 60_000;
/** Clocks of senders may be ahead by this much. */
export const CLOCK_TOLERANCE_MS = 10_000;

export interface PipelineOptions {
  reader: LogReader;
  writer: StoreWriter;
  detector: Detector;
  scanner: Scanner;
  clock: Clock;
  /** events: time advances with the data alone. */
  clockMode: 'wall' | 'events';
  committedOffset: () => number;
  /** Whether there is nothing more when the reader has nothing; always, unless a log brings its records later. */
  isCurrent?: () => boolean;
  commitIntervalMs: number;
  checkpointIntervalMs: number;
  logger: Logger;
  metrics: Metrics;
  /** Shared with what takes turns with it; its own by default. */
  patience?: CommitPatience;
  /** Called after the documents are committed. */
  publish?: (output: PipelineOutput) => void;
  /**
   * For a detector of one partition of many: takes what it tells before the offset moves past it; a crash in between tells it again, under
   * the same ids.
   */
  announce?: (alerts: readonly AlertMessage[]) => Promise<void>;
  /** For such a detector too: tells others what it has of their services, before the offset moves past the record that it stems from. */
  tell?: (partials: readonly AddressedPartial[]) => Promise<void>;
  /** Takes what another partition's detector has told and cannot be read, before the offset moves past it. */
  onUnreadable?: (record: LogRecord, reason: string) => Promise<void>;
  /** Called after every commit; `safeOffset` is where a restart would read from. */
  onProgress: (progress: PipelineProgress) => void;
}

export type PipelineOutput = Pick<DetectorOutput, 'anomalies' | 'incidents' | 'changes'>;

export interface PipelineProgress {
  nextOffset: number;
  safeOffset: number;
  watermarkMs: number;
  caughtUp: boolean;
}

const emptyUpdate = (): StoreUpdate => ({
  anomalies: [],
  incidents: [],
  changes: [],
  templates: [],
  models: [],
  checkpoint: null,
});

/**
 * Reads the log from the last checkpoint on, and feeds the store's rollups and the detector. What it derives is committed
 * with the offset it stems from, so a crash repeats work but nothing twice: records below the committed offset only
 * rebuild the detector's state, and what the detector says about them is not published again.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  #update = emptyUpdate();
  #nextOffset: number;
  #safeOffset: number;
  #safeMetricOffset: number;
  /** Records below were committed by an earlier run. */
  readonly #replayUntil: number;
  /** Ids of anomalies that fire and are counted. */
  readonly #counted = new Set<string>();
  /** Told others or put aside, and not yet in the log. */
  #telling: Promise<void>[] = [];
  #caughtUp = false;
  #dirty = false;
  readonly #patience: CommitPatience;
  #lastCommitMs: number;
  #lastCheckpointMs: number;
  #checkpointIntervalMs: number;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { writer, reader, clock, logger, patience = new DiskPatience(clock, logger) } = options;
    this.#patience = patience;
    this.#replayUntil = writer.offset();
    this.#nextOffset = reader.seek(this.#restore());
    this.#safeOffset = this.#nextOffset;
    this.#safeMetricOffset = options.detector.status().metricOffset;
    this.#lastCommitMs = this.#lastCheckpointMs = clock.monotonicMs();
    this.#checkpointIntervalMs = options.checkpointIntervalMs;
  }

  /** Restores the detector and returns the offset its state belongs to. */
  #restore(): number {
    const { writer, detector, logger } = this.#options;
    const checkpoint = writer.checkpoint();
    if (!checkpoint) return 0;
    try {
      detector.restore(checkpoint.payload);
      return checkpoint.offset;
    } catch (error) {
      if (error instanceof HeliosError && error.code === 'corrupt_data') {
        logger.warn('the state of the detector is rebuilt from the log', { reason: error.message });
        return 0;
      }
      if (!(error instanceof HeliosError) || error.code !== 'invalid_config') throw error;
      logger.warn('the detector starts without history: its configuration differs from that of its stored state');
      return writer.offset();
    }
  }

  /** Handles what is committed now, up to one read; false when there was nothing. */
  async step(): Promise<boolean> {
    const { reader, detector, committedOffset, isCurrent } = this.#options;
    const records = await reader.read(committedOffset(), READ_BYTES);
    if (records === null) {
      this.#caughtUp = isCurrent?.() ?? true;
      return false;
    }
    for (const record of records) {
      this.#observe(record);
      this.#tell({ ...record, offset: record.position.offset }, isHeartbeat(record));
      await this.#collect(detector.advance(null));
    }
    await this.#told();
    await this.#commitWhenDue();
    return true;
  }

  /** Shows the detector a record of the metrics log; what it finds is committed and published as what it finds in events. */
  async observeMetrics(batch: MetricBatch, record: LogRecord): Promise<void> {
    const { detector, clockMode } = this.#options;
    const boundMs = clockMode === 'wall' ? record.receivedAtMs + CLOCK_TOLERANCE_MS : Infinity;
    detector.observeMetrics(batch, boundMs, record.position.offset + 1);
    // Records shown again after a crash say the same under the same ids; that they are told twice is better than never.
    await this.#collect(detector.advance(null), false);
  }

  /** Offset of the metrics log from which a restart would have to show the detector records again. */
  get safeMetricOffset(): number {
    return this.#safeMetricOffset;
  }

  /** Offset after the last record handled. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Whether records are read again that an earlier run has committed. */
  get isReplaying(): boolean {
    return this.#nextOffset < this.#replayUntil;
  }

  /** Whether everything is read and nothing of the last minute has come: nobody needs to wait for what this says. */
  get isIdle(): boolean {
    return this.#options.clockMode === 'wall' && this.#caughtUp && !this.#isLive();
  }

  #isLive(): boolean {
    const { clockMode, clock, detector } = this.#options;
    return clockMode === 'wall' && this.#caughtUp && clock.nowMs() - detector.status().watermarkMs < LIVE_WITHIN_MS;
  }

  /** Lets time pass when there are no events: silence is seen, and what is observed gets committed. */
  async tick(): Promise<void> {
    const { clock, detector } = this.#options;
    if (this.#isLive()) await this.#collect(detector.advance(clock.nowMs()));
    this.#tell({ offset: this.#nextOffset - 1, receivedAtMs: 0, clientId: '' }, false);
    await this.#told();
    await this.#commitWhenDue();
  }

  /** Ends the waiting for a full disk: the step or commit under way rejects with `disk_full`, and the next run derives it anew. */
  stop(): void {
    this.#patience.stop();
  }

  /** Resolves as `work` does, but rejects with `disk_full` while a commit waits for the disk; begun work then goes on. */
  unlessBlocked<T>(work: () => Promise<T>): Promise<T> {
    return this.#patience.unlessBlocked(work);
  }

  /** Applies a person's command and commits it at once, with a checkpoint: it must survive a crash. */
  async command(command: DetectorCommand): Promise<Incident | undefined> {
    while (this.#nextOffset < this.#replayUntil && (await this.step()));
    const { detector } = this.#options;
    const incident = detector.command(command);
    // The anomalies that it changed must be in the same commit.
    const output = detector.advance(null);
    if (incident && !output.incidents.some(({ id }) => id === incident.id)) output.incidents.push(incident);
    if (command.type === 'change') output.changes.push(command.change);
    this.#take(output);
    if (this.#options.announce) {
      // Decisions come again from their topic after a crash.
      await this.#options.announce(output.alerts);
      return incident;
    }
    this.#merge(output);
    await this.commit(true);
    this.#options.publish?.({ anomalies: output.anomalies, incidents: output.incidents, changes: output.changes });
    return incident;
  }

  /** Commits what was observed so far; `withCheckpoint` also stores the detector's state. */
  async commit(withCheckpoint: boolean): Promise<void> {
    const { detector, clock, onProgress } = this.#options;
    await this.#told();
    const { metricOffset } = detector.status();
    // Before the snapshot, which must not count them a second time.
    const templates = detector.drainTemplates();
    if (this.#nextOffset > this.#replayUntil) this.#update.templates.push(...templates);
    // A checkpoint belongs to the offset committed with it: there is none before the replay has caught up with that.
    const isCheckpoint = withCheckpoint && this.#nextOffset >= this.#replayUntil;
    if (isCheckpoint) this.#update.checkpoint = this.#snapshot();
    await this.#patience.commit(() => this.#options.writer.commit(this.#update, Math.max(this.#nextOffset, this.#replayUntil)));
    this.#lastCommitMs = clock.monotonicMs();
    if (isCheckpoint) {
      this.#safeOffset = this.#nextOffset;
      this.#safeMetricOffset = metricOffset;
      this.#lastCheckpointMs = this.#lastCommitMs;
    }
    this.#update = emptyUpdate();
    this.#dirty = false;
    this.#measure();
    onProgress(this.progress());
  }

  /** As of the last commit; before one, as of the checkpoint that it was restored from. */
  progress(): PipelineProgress {
    const { watermarkMs } = this.#options.detector.status();
    return { nextOffset: this.#nextOffset, safeOffset: this.#safeOffset, watermarkMs, caughtUp: this.#caughtUp };
  }

  /** Nothing else happens meanwhile: with thousands of services it takes seconds, and is then taken less often. */
  #snapshot(): Uint8Array {
    const { detector, clock, checkpointIntervalMs } = this.#options;
    const startMs = clock.monotonicMs();
    const state = detector.snapshot();
    const tookMs = clock.monotonicMs() - startMs;
    this.#checkpointIntervalMs = Math.max(checkpointIntervalMs, tookMs / MAX_CHECKPOINT_SHARE);
    return state;
  }

  retain(beforeMs: number): Promise<void> {
    return this.#options.writer.retain(beforeMs);
  }

  #observe(record: LogRecord): void {
    const { scanner, writer, detector, metrics, clockMode } = this.#options;
    if (isHeartbeat(record) && clockMode === 'events') detector.advanceTo(record.maxTimestampMs);
    if (record.partial) this.#observePartial(record, record.partial);
    const { batch } = scanner.scan(record.bytes, NO_LIMITS);
    // What was replayed was counted by the run that committed it.
    if (this.#nextOffset <= this.#replayUntil && record.position.offset >= this.#replayUntil) detector.drainTemplates();
    writer.observe(batch, record.position.offset);
    detector.observe(batch, record.receivedAtMs, record.clientId);
    this.#nextOffset = record.position.offset + 1;
    this.#dirty = true;
    metrics.add(PIPELINE_EVENTS, batch.count);
  }

  #observePartial(record: LogRecord, bytes: Uint8Array): void {
    const { detector, logger, onUnreadable } = this.#options;
    const partial = decodePartial(bytes);
    if (!('reason' in partial)) return detector.observePartial(partial);
    logger.warn('passed the partial sums of another partition: they cannot be read', { ...record.position, ...partial });
    const isReplayed = record.position.offset < this.#replayUntil;
    if (!isReplayed && onUnreadable) this.#await(onUnreadable(record, partial.reason));
  }

  /** What was committed by an earlier run was told before that. */
  #tell({ offset, receivedAtMs, clientId }: RecordOrigin, urgent: boolean): void {
    const { detector, tell } = this.#options;
    if (!tell) return;
    const partials = detector.drainPartials({ offset, receivedAtMs, clientId }, urgent);
    if (partials.length === 0 || this.#nextOffset <= this.#replayUntil) return;
    this.#await(tell(partials));
  }

  #await(telling: Promise<void>): void {
    // Whoever waits for it hears why it failed.
    telling.catch(() => undefined);
    this.#telling.push(telling);
  }

  async #told(): Promise<void> {
    if (this.#telling.length > 0) await Promise.all(this.#telling.splice(0));
  }

  async #collect(output: DetectorOutput, replayed = this.#nextOffset <= this.#replayUntil): Promise<void> {
    if (!replayed) this.#take(output);
    if (!replayed && output.alerts.length > 0) await this.#options.announce?.(output.alerts);
    if (output.models.length > 0) this.#dirty = true;
    if (output.anomalies.length + output.incidents.length + output.changes.length === 0) return;
    this.#merge(output);
    if (replayed) return;
    await this.commit(false);
    this.#options.publish?.({ anomalies: output.anomalies, incidents: output.incidents, changes: output.changes });
  }

  #take(output: DetectorOutput): void {
    for (const model of output.models) this.#update.models.push({ ...model, record: { ...model.record, state: 'active' } });
    this.#count(output);
  }

  #measure(): void {
    const { metrics, detector, committedOffset } = this.#options;
    const { entities, openAnomalies, openIncidents, watermarkMs, lateEvents, lateSinceMs, silent, quietAnomalies } =
      detector.status();
    metrics.set(PIPELINE_LAG, committedOffset() - this.#nextOffset);
    metrics.set(DETECT_METRICS.entities, entities);
    metrics.set(DETECT_METRICS.openAnomalies, openAnomalies);
    metrics.set(DETECT_METRICS.openIncidents, openIncidents);
    metrics.set(DETECT_METRICS.watermark, Math.max(0, watermarkMs / 1000));
    metrics.set(DETECT_METRICS.lateEvents, lateEvents);
    metrics.set(DETECT_METRICS.lateSeconds, lateSinceMs < 0 ? 0 : (watermarkMs - lateSinceMs) / 1000);
    metrics.set(DETECT_METRICS.silentServices, silent.late, { kind: 'late' });
    metrics.set(DETECT_METRICS.silentServices, silent.expectedZero, { kind: 'expected_zero' });
    metrics.set(DETECT_METRICS.silentServices, silent.dead, { kind: 'dead' });
    metrics.set(DETECT_METRICS.quietAnomalies, quietAnomalies);
  }

  /** Anomalies that fired for the first time, and models that were trained. */
  #count({ anomalies, models }: DetectorOutput): void {
    const { metrics } = this.#options;
    for (const { id, state, signal, severity } of anomalies) {
      if (state === 'firing' && !this.#counted.has(id)) metrics.add(DETECT_METRICS.anomalies, 1, { signal, severity });
      if (state === 'firing') this.#counted.add(id);
      else this.#counted.delete(id);
    }
    if (models.length > 0) metrics.add(DETECT_METRICS.trainedModels, models.length);
  }

  #merge(output: PipelineOutput): void {
    this.#update.anomalies.push(...output.anomalies);
    this.#update.incidents.push(...output.incidents);
    this.#update.changes.push(...output.changes);
    this.#dirty = true;
  }

  /** Whether the detector has seen what its last checkpoint does not hold. */
  #hasNews(): boolean {
    const isAhead = this.#safeOffset < this.#nextOffset || this.#safeMetricOffset < this.#options.detector.status().metricOffset;
    return isAhead && this.#nextOffset >= this.#replayUntil;
  }

  async #commitWhenDue(): Promise<void> {
    const { clock, commitIntervalMs } = this.#options;
    const now = clock.monotonicMs();
    const checkpointDue = now - this.#lastCheckpointMs >= this.#checkpointIntervalMs && this.#hasNews();
    if (checkpointDue || (this.#dirty && now - this.#lastCommitMs >= commitIntervalMs)) await this.commit(checkpointDue);
  }
}

/** Whether a record only says how far event time is, having neither events nor requests. */
function isHeartbeat({ count, parts, partial }: LogRecord): boolean {
  return count === 0 && parts === undefined && partial === undefined;
}
