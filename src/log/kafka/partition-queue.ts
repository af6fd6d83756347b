import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import { KAFKA_METRICS } from '../metrics.ts';
import { kafkaFailure, type KafkaFailure } from './failure.ts';
import type { OutgoingRecord, ProduceLink, ProducerIdentity } from './produce-link.ts';

/** A record on its way, and who is told of its end: exactly one of the two calls comes, unless the queue is given up. */
export interface QueuedRecord {
  /** Of its value and headers. */
  readonly bytes: number;
  readonly events: number;
  encode(): OutgoingRecord;
  /** `offset` is -1 where the broker no longer knows it. */
  acknowledged(offset: number): void;
  refused(error: HeliosError): void;
  /** Smaller records that say the same, told of as this one would be; null when there are none. */
  split(): QueuedRecord[] | null;
}

export interface PartitionQueueOptions {
  topic: string;
  partition: number;
  link: ProduceLink;
  /** Most bytes that are sent at once; a single record may have more. */
  maxSendBytes: number;
  /** Gives what gathers and has room, oldest first; null for nothing. Asked right before something is sent. */
  feed: (roomBytes: number) => QueuedRecord | null;
  /** A try failed, or (null) one succeeded. */
  onOutcome: (failure: KafkaFailure | null) => void;
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  /** Gives up whatever is still waiting. */
  closing: AbortSignal;
}

const BACKOFF = { firstMs: 100, longestMs: 5000 };
const SEQUENCE_MASK = 0x7fffffff;

/**
 * The only way into one partition: batches in the order of their records, one under way at a time, each tried under the same
 * identity and sequence until the broker has taken it or has said that it never will. That is what makes a retry harmless and keeps
 * an entity's events in order.
 */
export class PartitionQueue {
  readonly #options: PartitionQueueOptions;
  readonly #labels: { topic: string };
  readonly #ready: QueuedRecord[] = [];
  readonly #backoff: Backoff;
  #producer: ProducerIdentity | null = null;
  #sequence = 0;
  #isRunning = false;
  #waiting: (() => void)[] = [];

  constructor(options: PartitionQueueOptions) {
    this.#options = options;
    this.#labels = { topic: options.topic };
    this.#backoff = new Backoff(BACKOFF, options.prng);
  }

  /** Nothing waits and nothing is under way; what `feed` still holds is not known here. */
  get isIdle(): boolean {
    return !this.#isRunning && this.#ready.length === 0;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Appends a record; `start` sends it. */
  push(record: QueuedRecord): void {
    this.#ready.push(record);
  }

  /** Sends everything that is there, if that is not being done. */
  start(): void {
    if (!this.#isRunning) void this.#run();
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    while (this.#isRunning) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#deliver(batch);
    } catch (error) {
      // Only the end of the process gets here; who still waits is told by the owner of the queue.
      if (!this.#options.closing.aborted) throw error;
    } finally {
      this.#isRunning = false;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  #take(): QueuedRecord[] {
    const { maxSendBytes, feed } = this.#options;
    const batch: QueuedRecord[] = [];
    let bytes = 0;
    const add = (record: QueuedRecord): void => {
      batch.push(record);
      bytes += record.bytes;
    };
    while (this.#ready.length > 0) {
      const next = this.#ready[0] as QueuedRecord;
      if (batch.length > 0 && bytes + next.bytes > maxSendBytes) return batch;
      this.#ready.shift();
      add(next);
    }
    for (let next = feed(maxSendBytes - bytes); next; next = feed(maxSendBytes - bytes)) add(next);
    return batch;
  }

  /** Tries until every record is acknowledged or refused; rejects only when the queue closes. */
  async #deliver(batch: readonly QueuedRecord[]): Promise<void> {
    const { closing, clock } = this.#options;
    const records = batch.map((record) => record.encode());
    const bytes = batch.reduce((sum, record) => sum + record.bytes, 0);
    for (;;) {
      closing.throwIfAborted();
      const startMs = clock.monotonicMs();
      let offset: number;
      try {
        offset = await this.#try(records, bytes);
      } catch (error) {
        const failure = kafkaFailure(error);
        if (await this.#isDealtWith(batch, failure, error)) return;
        continue;
      }
      this.#sequence = (this.#sequence + batch.length) & SEQUENCE_MASK;
      this.#backoff.reset();
      this.#count(batch, bytes, clock.monotonicMs() - startMs);
      this.#options.onOutcome(null);
      for (const [i, record] of batch.entries()) record.acknowledged(offset < 0 ? -1 : offset + i);
      return;
    }
  }

  async #try(records: readonly OutgoingRecord[], bytes: number): Promise<number> {
    const { link, topic, partition } = this.#options;
    if (!this.#producer) {
      this.#producer = await link.producer();
      this.#sequence = 0;
    }
    return link.produce({ topic, partition, records, bytes, producer: this.#producer, sequence: this.#sequence });
  }

  /** After a failed try: true when the batch needs no other, false when it is to be tried again. */
  async #isDealtWith(batch: readonly QueuedRecord[], failure: KafkaFailure, error: unknown): Promise<boolean> {
    const { metrics, clock, closing, onOutcome, link, logger, topic, partition } = this.#options;
    if (failure.kind === 'too_large' || failure.kind === 'rejected') {
      await this.#divide(batch, failure, error);
      return true;
    }
    metrics.add(KAFKA_METRICS.retries, 1, { ...this.#labels, reason: failure.code });
    if (failure.kind === 'state_lost' && this.#producer) {
      logger.warn('the broker has forgotten this producer; going on as a new one', { topic, partition, reason: failure.reason });
      link.forget(this.#producer);
      this.#producer = null;
    }
    onOutcome(failure);
    await clock.sleep(this.#backoff.nextMs(), closing);
    return false;
  }

  /** What the broker will not take as a whole it may take in pieces; the record that it will never take is refused alone. */
  async #divide(batch: readonly QueuedRecord[], failure: KafkaFailure, error: unknown): Promise<void> {
    if (batch.length > 1) {
      const half = batch.length >> 1;
      await this.#deliver(batch.slice(0, half));
      await this.#deliver(batch.slice(half));
      return;
    }
    const record = batch[0] as QueuedRecord;
    const pieces = failure.kind === 'too_large' ? record.split() : null;
    if (pieces) {
      for (const piece of pieces) await this.#deliver([piece]);
      return;
    }
    const { topic } = this.#options;
    const isLarge = failure.kind === 'too_large';
    const what = isLarge ? `${record.bytes} bytes are more than the topic ${topic} takes` : failure.reason;
    record.refused(new HeliosError(isLarge ? 'too_large' : 'log_unavailable', `cannot append: ${what}`, { cause: error }));
  }

  #count(batch: readonly QueuedRecord[], bytes: number, tookMs: number): void {
    const { metrics } = this.#options;
    metrics.add(KAFKA_METRICS.records, batch.length, this.#labels);
    metrics.add(KAFKA_METRICS.bytes, bytes, this.#labels);
    metrics.add(KAFKA_METRICS.batches, 1, this.#labels);
    metrics.observe(KAFKA_METRICS.produceSeconds, tookMs / 1000, this.#labels);
  }
}
