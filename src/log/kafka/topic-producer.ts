import { HeliosError } from '../../lib/errors.ts';
import type { KafkaConnection } from './connection.ts';
import type { KafkaFailure } from './failure.ts';
import { partitionOfKey } from './partition-of.ts';
import { PartitionQueue, type QueuedRecord } from './partition-queue.ts';
import { openProduceLink, type OutgoingRecord, type ProduceLink } from './produce-link.ts';
import { HEAD_BYTES } from './record-codec.ts';

/** A record for any topic. Without a partition its key says which one; without a key either, partition 0. */
export interface TopicMessage {
  partition?: number;
  key?: string | Uint8Array;
  value: string | Uint8Array;
  headers?: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * Produces single records: alerts, commands, edges, dead letters. Those of one partition arrive in the order of the calls, each once,
 * however often the broker has to be asked.
 */
export interface TopicProducer extends AsyncDisposable {
  /**
   * Resolves when the broker has it, which may take as long as the broker is away; rejects with `too_large` or `log_unavailable` when it
   * will never take it, with `shutting_down` when the producer closes first.
   */
  send(topic: string, message: TopicMessage): Promise<void>;
  /** Why nothing gets through at the moment, or null. */
  failure(): HeliosError | null;
}

/** Does not wait for a broker: the first send does. */
export function openTopicProducer(connection: KafkaConnection): Promise<TopicProducer> {
  return Promise.resolve(new Producer(connection));
}

function bytesOf(text: string | Uint8Array): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length);
}

class Producer implements TopicProducer {
  readonly #connection: KafkaConnection;
  readonly #link: ProduceLink;
  readonly #closing = new AbortController();
  readonly #queues = new Map<string, PartitionQueue[]>();
  /** What waits for the partitions of its topic to be known, in the order of the calls. */
  readonly #opening = new Map<string, { record: SingleRecord; message: TopicMessage }[]>();
  readonly #waiting = new Set<SingleRecord>();
  readonly #failures = new Map<string, KafkaFailure>();

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.#link = openProduceLink(connection);
  }

  async send(topic: string, message: TopicMessage): Promise<void> {
    this.#checkOpen();
    const record = new SingleRecord(message);
    this.#waiting.add(record);
    try {
      const queues = this.#queues.get(topic);
      if (queues) push(queues, record, message);
      else this.#wait(topic, record, message);
      await record.promise;
    } finally {
      this.#waiting.delete(record);
    }
  }

  failure(): HeliosError | null {
    const [failed] = this.#failures;
    return failed ? new HeliosError('log_unavailable', `cannot produce to ${failed[0]}: ${failed[1].reason}`) : null;
  }

  /** Sends what is waiting, for as long as an append may take. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, config } = this.#connection;
    const giveUp = clock.after(config.delivery_timeout, () => this.#closing.abort());
    for (const queues of this.#queues.values()) for (const queue of queues) await queue.drained();
    giveUp();
    this.#closing.abort(this.#closedError());
    for (const record of this.#waiting) record.refused(this.#closedError());
    await this.#link[Symbol.asyncDispose]();
  }

  #closedError(): HeliosError {
    return new HeliosError('shutting_down', 'cannot produce: the producer is closed');
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw this.#closedError();
  }

  #wait(topic: string, record: SingleRecord, message: TopicMessage): void {
    const line = this.#opening.get(topic);
    if (line) line.push({ record, message });
    else {
      const begun = [{ record, message }];
      this.#opening.set(topic, begun);
      void this.#open(topic, begun);
    }
  }

  async #open(topic: string, line: readonly { record: SingleRecord; message: TopicMessage }[]): Promise<void> {
    try {
      const ask = (): Promise<number> => this.#link.partitionsOf(topic);
      const partitions = await this.#connection.persist(`open the topic ${topic}`, ask, this.#closing.signal);
      const queues = Array.from({ length: partitions }, (_, partition) => this.#createQueue(topic, partition));
      this.#queues.set(topic, queues);
      for (const { record, message } of line) push(queues, record, message);
    } catch (error) {
      const told = error instanceof HeliosError ? error : this.#closedError();
      for (const { record } of line) record.refused(told);
    } finally {
      this.#opening.delete(topic);
    }
  }

  #createQueue(topic: string, partition: number): PartitionQueue {
    const { clock, logger, metrics, prng, config } = this.#connection;
    return new PartitionQueue({
      topic,
      partition,
      link: this.#link,
      maxSendBytes: config.max_record,
      feed: () => null,
      onOutcome: (failure) => this.#heard(topic, failure),
      clock,
      logger,
      metrics,
      prng,
      closing: this.#closing.signal,
    });
  }

  #heard(topic: string, failure: KafkaFailure | null): void {
    const before = this.#failures.get(topic);
    if (failure) this.#failures.set(topic, failure);
    else this.#failures.delete(topic);
    if (failure && failure.code !== before?.code) {
      this.#connection.logger.warn('cannot produce; trying again', { topic, reason: failure.reason });
    }
  }
}

function push(queues: readonly PartitionQueue[], record: SingleRecord, { partition, key }: TopicMessage): void {
  const chosen = partition ?? (key === undefined ? 0 : partitionOfKey(bytesOf(key), queues.length));
  const queue = queues[chosen];
  if (queue) {
    queue.push(record);
    queue.start();
  } else record.refused(new HeliosError('invalid_argument', `cannot produce to partition ${chosen} of ${queues.length}`));
}

class SingleRecord implements QueuedRecord {
  readonly events = 1;
  readonly bytes: number;
  readonly promise: Promise<void>;
  readonly #record: OutgoingRecord;
  #resolve!: () => void;
  #reject!: (error: HeliosError) => void;

  constructor({ key, value, headers }: TopicMessage) {
    const pairs = Object.entries(headers ?? {}).map(([name, content]) => [Buffer.from(name), bytesOf(content)] as const);
    this.#record = { value: bytesOf(value), headers: new Map(pairs) };
    if (key !== undefined) this.#record.key = bytesOf(key);
    const headerBytes = pairs.reduce((sum, [name, content]) => sum + name.length + content.length, 0);
    this.bytes = this.#record.value.length + (this.#record.key?.length ?? 0) + headerBytes + HEAD_BYTES;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Closing tells those too who have gone away.
    this.promise.catch(() => undefined);
  }

  encode(): OutgoingRecord {
    return this.#record;
  }

  acknowledged(): void {
    this.#resolve();
  }

  refused(error: HeliosError): void {
    this.#reject(error);
  }

  split(): null {
    return null;
  }
}
