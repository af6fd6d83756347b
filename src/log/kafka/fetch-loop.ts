import { Backoff } from '../../lib/backoff.ts';
import { HeliosError } from '../../lib/errors.ts';
import { endsWithin } from './bounded-wait.ts';
import type { KafkaConnection } from './connection.ts';
import { KAFKA_CONSUMER_METRICS } from '../metrics.ts';
import { kafkaFailure } from './failure.ts';
import { FetchClient, type FetchedPartition } from './fetch-client.ts';
import { FetchPartition } from './fetch-partition.ts';
import { isUnreadableAnswer, OFFSET_OUT_OF_RANGE, protocolReason } from './fetch-failure.ts';

/** How long a broker may hold a request until there are records. */
const POLL_MS = 200;
/** While another of its partitions waits for room, a broker must be free again soon. */
const SHORT_POLL_MS = 20;
const BACKOFF = { firstMs: 100, longestMs: 5000 };
const CLOSE_MS = 2000;

/**
 * One request at a time to each broker, for all partitions that it leads and that have room. Partitions neither wait for each
 * other's readers nor for each other's failures.
 */
export class FetchLoop {
  readonly #connection: KafkaConnection;
  readonly #client: FetchClient;
  readonly #partitions = new Set<FetchPartition>();
  /** Those of the partitions, and of those that are being opened. */
  readonly #keys = new Set<string>();
  /** Brokers that have not answered yet. */
  readonly #asked = new Set<number>();
  /** Topics whose leaders are being asked for. */
  readonly #looking = new Set<string>();
  #stopTimer: () => void = () => undefined;
  #isScheduled = false;
  #isEnded = false;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.#client = new FetchClient(connection.clientOptions);
  }

  isFree(topic: string, partition: number): boolean {
    return !this.#keys.has(`${topic}/${partition}`);
  }

  has(partition: FetchPartition): boolean {
    return this.#partitions.has(partition);
  }

  async open(topic: string, partition: number, signal?: AbortSignal): Promise<FetchPartition> {
    const connection = this.#connection;
    const key = `${topic}/${partition}`;
    this.#keys.add(key);
    try {
      const range = await connection.persist(`read ${key}`, () => this.#client.range(topic, partition), signal);
      const opened = new FetchPartition(topic, partition, range, new Backoff(BACKOFF, connection.prng), () => this.#schedule());
      this.#partitions.add(opened);
      return opened;
    } catch (error) {
      this.#keys.delete(key);
      throw error;
    }
  }

  close(partition: FetchPartition): void {
    partition.close();
    this.#partitions.delete(partition);
    this.#keys.delete(`${partition.topic}/${partition.partition}`);
    if (![...this.#partitions].some(({ topic }) => topic === partition.topic)) this.#client.forget(partition.topic);
  }

  failure(): Error | null {
    for (const { failure } of this.#partitions) if (failure) return failure;
    return null;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#stopTimer();
    for (const partition of this.#partitions) partition.close();
    this.#partitions.clear();
    // A request that a broker holds must not hold the close.
    await endsWithin(this.#connection.clock, CLOSE_MS, this.#client.close());
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isEnded) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isEnded) this.#ask();
    });
  }

  /** Asks every broker that is free for what can be fetched, and for the leaders that are not known. */
  #ask(): void {
    const now = this.#connection.clock.monotonicMs();
    const ready = new Map<number, FetchPartition[]>();
    let nextMs = Infinity;
    for (const partition of this.#partitions) {
      if (partition.nextOffset === null || !partition.hasRoom || partition.broken) continue;
      if (partition.pausedUntilMs > now) nextMs = Math.min(nextMs, partition.pausedUntilMs);
      else if (partition.leader < 0) this.#look(partition.topic);
      else ready.set(partition.leader, [...(ready.get(partition.leader) ?? []), partition]);
    }
    for (const [node, partitions] of ready) if (!this.#asked.has(node)) void this.#fetch(node, partitions);
    this.#stopTimer();
    if (nextMs < Infinity) this.#stopTimer = this.#connection.clock.after(nextMs - now, () => this.#schedule());
  }

  async #fetch(node: number, ready: readonly FetchPartition[]): Promise<void> {
    const suspect = ready.find(({ mode }) => mode !== 'together');
    const asked = (suspect ? [suspect] : ready).map((partition) => ({ partition, from: partition.nextOffset! }));
    const isCrowded = suspect !== undefined || [...this.#partitions].some((other) => other.leader === node && !other.hasRoom);
    this.#asked.add(node);
    try {
      const requests = asked.map(({ partition, from }) => ({
        ...keyOf(partition),
        topicId: partition.topicId,
        offset: from,
        maxBytes: partition.maxBytes,
      }));
      const answers = await this.#client.fetch(node, requests, isCrowded ? SHORT_POLL_MS : POLL_MS);
      const failed = answers.some(({ errorCode }) => errorCode !== 0);
      for (const { partition, from } of asked) {
        const answer = answers.find(
          ({ topic, partition: number }) => topic === partition.topic && number === partition.partition,
        );
        if (answer) await this.#accept(partition, from, answer);
        else if (!failed) partition.hear(this.#connection.clock.monotonicMs());
        // In an answer with errors the others are left out: they have not been read.
        if (!failed) partition.mode = 'together';
      }
    } catch (error) {
      if (isUnreadableAnswer(error))
        this.#isolate(
          asked.map(({ partition }) => partition),
          error as Error,
        );
      else for (const { partition } of asked) this.#failed(partition, kafkaFailure(error), error);
    } finally {
      this.#asked.delete(node);
      this.#schedule();
    }
  }

  async #accept(partition: FetchPartition, from: number, answer: FetchedPartition): Promise<void> {
    if (answer.errorCode === 0) {
      partition.accept(answer, from);
      partition.hear(this.#connection.clock.monotonicMs());
    } else if (answer.errorCode === OFFSET_OUT_OF_RANGE) await this.#reposition(partition, from);
    else this.#failed(partition, protocolReason(answer.errorCode));
  }

  /** The wanted offset is not there (any more, or yet): goes on at the nearest that is, and says what is lost. */
  async #reposition(partition: FetchPartition, from: number): Promise<void> {
    const { firstOffset, endOffset } = await this.#client.range(partition.topic, partition.partition);
    partition.firstOffset = firstOffset;
    partition.endOffset = endOffset;
    if (partition.nextOffset !== from) return;
    const fields = { ...keyOf(partition), from, firstOffset, endOffset };
    if (from < firstOffset) {
      this.#connection.logger.error('records are lost: retention removed them before they were read', {
        ...fields,
        to: firstOffset - 1,
      });
      this.#connection.metrics.add(KAFKA_CONSUMER_METRICS.lostRecords, firstOffset - from, { topic: partition.topic });
      partition.seek(firstOffset);
    } else if (from > endOffset && partition.isStored) partition.break(shortenedError(partition, from));
    else if (from > endOffset) {
      this.#connection.logger.error(
        'the partition ends before the wanted offset: has the topic been made anew? Going on at its end',
        fields,
      );
      partition.seek(endOffset);
    } else this.#failed(partition, protocolReason(OFFSET_OUT_OF_RANGE));
  }

  /** Finds whose records the client cannot read, and passes them. */
  #isolate(partitions: readonly FetchPartition[], error: Error): void {
    for (const partition of partitions) {
      if (partition.mode === 'one') {
        partition.passDamage(`its batch cannot be decoded: ${error.message}`);
        partition.mode = 'together';
      } else partition.mode = partitions.length === 1 ? 'one' : 'alone';
    }
    this.#connection.metrics.add(KAFKA_CONSUMER_METRICS.fetchErrors, 1, { reason: 'unreadable' });
  }

  #failed(partition: FetchPartition, { reason, code }: { reason: string; code: string }, cause?: unknown): void {
    if (partition.isClosed || this.#isEnded) return;
    const { clock, logger, metrics } = this.#connection;
    partition.leader = -1;
    partition.failure = new HeliosError('log_unavailable', `cannot fetch ${partition.topic}/${partition.partition}: ${reason}`, {
      cause,
    });
    // What a leader change brings is told when it lasts.
    if (partition.backoff.failures === 3) logger.warn(partition.failure.message);
    partition.pausedUntilMs = clock.monotonicMs() + partition.backoff.nextMs();
    metrics.add(KAFKA_CONSUMER_METRICS.fetchErrors, 1, { reason: code });
    this.#schedule();
  }

  #look(topic: string): void {
    if (this.#looking.has(topic)) return;
    this.#looking.add(topic);
    const mine = (): FetchPartition[] =>
      [...this.#partitions].filter((partition) => partition.topic === topic && partition.leader < 0);
    this.#client
      .leaders(topic)
      .then(
        ({ topicId, leaders }) => {
          for (const partition of mine()) {
            if (partition.topicId !== topicId) {
              partition.break(replacedError(partition));
              continue;
            }
            partition.leader = leaders[partition.partition] ?? -1;
            if (partition.leader < 0) this.#failed(partition, { reason: 'it has no leader', code: 'LEADER_NOT_AVAILABLE' });
          }
        },
        (error: unknown) => {
          this.#client.forget(topic);
          for (const partition of mine()) this.#failed(partition, kafkaFailure(error), error);
        },
      )
      .finally(() => {
        this.#looking.delete(topic);
        this.#schedule();
      });
  }
}

function replacedError({ topic, partition }: FetchPartition): HeliosError {
  const reason = 'the topic was deleted and made anew since it was opened';
  return new HeliosError('log_unavailable', `cannot go on reading ${topic}/${partition}: ${reason}`);
}

function shortenedError({ topic, partition, endOffset }: FetchPartition, from: number): HeliosError {
  const reason = `the log ends at offset ${endOffset}, before ${from}`;
  return new HeliosError('log_unavailable', `cannot go on reading ${topic}/${partition}: ${reason}`);
}

function keyOf({ topic, partition }: FetchPartition): { topic: string; partition: number } {
  return { topic, partition };
}
