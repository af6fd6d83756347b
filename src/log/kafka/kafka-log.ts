import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { AppendRecord, EventLog, KnownRequest, LogStatus, LogSupport, Position } from '../event-log.ts';
import { IdempotencyIndex, type IdempotencyLimits } from '../idempotency-index.ts';
import { KAFKA_METRICS, LOG_METRICS, labelled } from '../metrics.ts';
import type { KafkaConfig } from './config.ts';
import type { KafkaConnection } from './connection.ts';
import { EventTime } from './event-time.ts';
import { EntitySpread } from './entity-spread.ts';
import type { KafkaFailure } from './failure.ts';
import { createEventSplitter, createMetricSplitter, type LineSplitter } from './line-split.ts';
import { PendingAppend } from './pending-append.ts';
import { openProduceLink, type ProduceLink } from './produce-link.ts';
import { SlabPool } from './slab-pool.ts';
import { TopicLane, type LanePartition, type TopicLaneOptions } from './topic-lane.ts';

export interface KafkaLogOptions {
  connection: KafkaConnection;
  topic: string;
  /** Where events that belong to a trace go too, by their trace. */
  tracesTopic?: string;
  kind: 'events' | 'metrics';
  config: KafkaConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  idempotency: IdempotencyLimits;
  /** Every partition hears at least this often how far event time has come; absent: not at all. */
  heartbeatMs?: number;
}

const SWEEP_MS = 250;

/** Waits for a broker that knows the topics. Closing it sends what was appended, for as long as an append may take. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { connection, topic, tracesTopic, kind, clock } = options;
  const link = openProduceLink(connection);
  try {
    const partitionsOf = (name: string): Promise<number> =>
      connection.persist(`open the topic ${name}`, () => link.partitionsOf(name));
    const partitions = await partitionsOf(topic);
    const tracePartitions = tracesTopic === undefined ? null : await partitionsOf(tracesTopic);
    const splitter =
      kind === 'events'
        ? createEventSplitter(new EntitySpread(partitions, options.config.hot_services), tracePartitions, () => clock.nowMs())
        : createMetricSplitter(partitions);
    return new KafkaLog(options, { link, splitter, partitions, tracePartitions });
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
}

interface Opened {
  link: ProduceLink;
  splitter: LineSplitter;
  partitions: number;
  tracePartitions: number | null;
}

class KafkaLog implements EventLog {
  readonly supports: LogSupport = { wholeRecords: false, retention: false };
  readonly #options: KafkaLogOptions;
  readonly #opened: Opened;
  readonly #metrics: Metrics;
  readonly #main: TopicLane;
  readonly #traces: TopicLane | null;
  readonly #index: IdempotencyIndex;
  readonly #listeners = new Set<(nextOffset: number) => void>();
  readonly #closing = new AbortController();
  readonly #gathering = new Set<LanePartition>();
  readonly #stops: (() => void)[] = [];
  /** In the order of the calls; those at the front may have settled. */
  #waiting: PendingAppend[] = [];
  #pendingBytes = 0;
  #durable = 0;
  /** Not yet told to the metrics. */
  #counted = { records: 0, events: 0, bytes: 0 };
  readonly #eventTime = new EventTime();
  #refusal: HeliosError | null = null;
  #lastFailure: KafkaFailure | null = null;
  #isStopping = false;

  constructor(options: KafkaLogOptions, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
    const { clock, topic, tracesTopic, kind, idempotency, heartbeatMs } = options;
    this.#metrics = labelled(options.metrics, { log: kind === 'events' ? 'log' : 'metrics' });
    this.#index = new IdempotencyIndex(idempotency, (count) => this.#metrics.add(LOG_METRICS.evictedKeys, count));
    const pool = new SlabPool();
    this.#main = new TopicLane(this.#laneOptions(topic, opened.partitions, pool));
    const { tracePartitions } = opened;
    const hasTraces = tracesTopic !== undefined && tracePartitions !== null;
    this.#traces = hasTraces ? new TopicLane(this.#laneOptions(tracesTopic, tracePartitions, pool)) : null;
    this.#stops.push(clock.every(SWEEP_MS, () => this.#sweep()));
    if (heartbeatMs !== undefined) this.#stops.push(clock.every(heartbeatMs, () => this.#announce()));
  }

  append(record: AppendRecord): Promise<Position> {
    const refusal = this.#refusalOf(record);
    if (refusal) {
      this.#metrics.add(LOG_METRICS.failedAppends, 1, { code: refusal.code });
      return Promise.reject(refusal);
    }
    // Nothing to keep: there is no event in it, and no partition that it belongs to.
    if (record.count === 0) return Promise.resolve({ partition: 0, offset: -1 });
    const { clock, config } = this.#options;
    const deadlineMs = clock.monotonicMs() + config.delivery_timeout;
    const append = new PendingAppend(record, deadlineMs, (done) => this.#isDurable(done));
    const { main, traces } = this.#opened.splitter.split(record);
    this.#pendingBytes += this.#main.add(record, main, append);
    if (traces && this.#traces) this.#pendingBytes += this.#traces.add(record, traces, append);
    this.#eventTime.observe(record.minTimestampMs, record.maxTimestampMs);
    this.#counted.bytes += record.bytes.length;
    this.#waiting.push(append);
    return append.promise;
  }

  findRequest(keyHash: string): KnownRequest | undefined {
    return this.#index.find(keyHash, this.#options.clock.nowMs());
  }

  committedOffset(): number {
    return this.#durable;
  }

  onCommit(listener: (nextOffset: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  acknowledge(): void {}

  retain(): Promise<number> {
    return Promise.resolve(0);
  }

  status(): LogStatus {
    return { firstOffset: 0, nextOffset: this.#durable, bytes: 0, segments: 0, sealedSegments: 0, damages: [] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    const { clock, config } = this.#options;
    for (const partition of this.#partitions()) partition.release();
    const giveUp = clock.after(config.delivery_timeout, () => this.#closing.abort());
    for (const partition of this.#partitions()) await partition.queue.drained();
    giveUp();
    this.#closing.abort();
    for (const stop of this.#stops) stop();
    this.#failWaiting(unavailable('the process is stopping, and the broker has not acknowledged'));
    this.#flushCounts();
    await this.#opened.link[Symbol.asyncDispose]();
  }

  *#partitions(): Generator<LanePartition> {
    yield* this.#main.partitions;
    if (this.#traces) yield* this.#traces.partitions;
  }

  #laneOptions(topic: string, partitions: number, pool: SlabPool): TopicLaneOptions {
    const { connection, config, clock, logger, metrics } = this.#options;
    return {
      topic,
      partitions,
      pool,
      maxRecordBytes: config.max_record,
      link: this.#opened.link,
      clock,
      logger,
      metrics,
      prng: connection.prng,
      closing: this.#closing.signal,
      onOutcome: (failure) => this.#heard(failure),
      onSettled: (bytes) => {
        this.#pendingBytes -= bytes;
      },
      onGathering: (partition) => this.#gather(partition),
    };
  }

  #refusalOf({ bytes }: AppendRecord): HeliosError | null {
    if (this.#isStopping) {
      return new HeliosError('shutting_down', 'cannot append: the log is closing', { details: { retryAfterSeconds: 5 } });
    }
    if (this.#refusal) return this.#refusal;
    const waiting = this.#pendingBytes;
    if (waiting === 0 || waiting + bytes.length <= this.#options.config.max_pending) return null;
    const sentence = `cannot append: ${waiting} bytes are waiting for the broker${this.#because()}`;
    return new HeliosError('overloaded', sentence, { details: { retryAfterSeconds: 1 } });
  }

  #because(): string {
    return this.#lastFailure ? `: ${this.#lastFailure.reason}` : '';
  }

  /** One timer for all partitions: those that begin meanwhile wait less. */
  #gather(partition: LanePartition): void {
    this.#gathering.add(partition);
    if (this.#isStopping) partition.release();
    if (this.#gathering.size > 1) return;
    this.#options.clock.after(this.#options.config.linger, () => {
      const due = [...this.#gathering];
      this.#gathering.clear();
      for (const gathered of due) gathered.release();
    });
  }

  #isDurable({ keyed, events, isSettled }: PendingAppend): void {
    if (keyed?.idempotency) this.#index.add(keyed.idempotency, keyed.count, keyed.receivedAtMs, this.#options.clock.nowMs());
    this.#durable++;
    this.#counted.records++;
    this.#counted.events += events;
    if (isSettled) this.#options.logger.debug('the broker has acknowledged what was answered as unavailable', { events });
    for (const listener of this.#listeners) listener(this.#durable);
  }

  #heard(failure: KafkaFailure | null): void {
    if (failure?.kind === this.#lastFailure?.kind && failure?.code === this.#lastFailure?.code) return;
    const { logger, topic } = this.#options;
    const before = this.#lastFailure;
    this.#lastFailure = failure;
    this.#refusal = null;
    if (!failure) {
      if (before) logger.info('the broker acknowledges again', { topic });
      return;
    }
    logger.warn('cannot produce; trying again', { topic, reason: failure.reason });
    // No broker will think otherwise while the credentials are what they are.
    if (failure.kind !== 'credentials' && failure.kind !== 'forbidden') return;
    this.#refusal = unavailable(failure.reason);
    this.#failWaiting(this.#refusal);
  }

  #failWaiting(error: HeliosError): void {
    let failed = 0;
    for (const append of this.#waiting) {
      if (append.isSettled) continue;
      append.fail(error);
      failed++;
    }
    this.#waiting = [];
    if (failed > 0) this.#metrics.add(LOG_METRICS.failedAppends, failed, { code: error.code });
  }

  /** Tells who has waited too long. */
  #sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    let expired = 0;
    let done = 0;
    for (; done < this.#waiting.length; done++) {
      const append = this.#waiting[done] as PendingAppend;
      if (append.isSettled) continue;
      if (append.deadlineMs > nowMs) break;
      const seconds = this.#options.config.delivery_timeout / 1000;
      append.fail(unavailable(`the broker has not acknowledged for ${seconds} s${this.#because()}`));
      expired++;
    }
    this.#waiting = this.#waiting.slice(done);
    if (expired > 0) this.#metrics.add(LOG_METRICS.failedAppends, expired, { code: 'log_unavailable' });
    this.#flushCounts();
  }

  #flushCounts(): void {
    const { records, events, bytes } = this.#counted;
    this.#counted = { records: 0, events: 0, bytes: 0 };
    if (records > 0) {
      this.#metrics.add(LOG_METRICS.records, records);
      this.#metrics.add(LOG_METRICS.events, events);
      this.#metrics.add(LOG_METRICS.bytes, bytes);
    }
    this.#metrics.set(LOG_METRICS.pendingBytes, this.#pendingBytes);
    this.#options.metrics.set(KAFKA_METRICS.pendingBytes, this.#pendingBytes, { topic: this.#options.topic });
  }

  #announce(): void {
    const { newestMs } = this.#eventTime;
    if (this.#isStopping || newestMs === -Infinity) return;
    const receivedAtMs = this.#options.clock.nowMs();
    for (const partition of [...this.#main.partitions, ...(this.#traces?.partitions ?? [])]) {
      partition.announce(newestMs, receivedAtMs);
    }
  }
}

function unavailable(reason: string): HeliosError {
  return new HeliosError('log_unavailable', `cannot append: ${reason}`, { details: { retryAfterSeconds: 2 } });
}
