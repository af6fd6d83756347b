import type { LogRecord } from '../event-log.ts';
import { KAFKA_CONSUMER_METRICS } from '../metrics.ts';
import type { DeadLetter, PartitionReader } from '../partition-log.ts';
import type { KafkaConnection } from './connection.ts';
import type { FetchedRecord } from './fetch-client.ts';
import { shareFetchPool, type FetchPool } from './fetch-pool.ts';
import type { FetchPartition } from './fetch-partition.ts';
import { decodeRecord } from './record-codec.ts';

export interface PartitionReaderOptions {
  connection: KafkaConnection;
  topic: string;
  partition: number;
  /** Takes a record that cannot be decoded; the reader passes it once this has resolved, and `read` rejects when it rejects. */
  onUnreadable: (letter: DeadLetter) => Promise<void>;
  /** Ends waiting: for the broker at first, for records later. */
  signal?: AbortSignal;
  /**
   * Whoever stores how far he is must not be moved back behind his back: where the log has lost its end, `read` rejects instead, and the
   * next reader says at its opening how far the log goes.
   */
  isStored?: boolean;
}

/** A reader that also tells where it stands. */
export interface KafkaPartitionReader extends PartitionReader {
  /** Offset of the next record to be read. */
  position(): number;
  failure(): Error | null;
}

/**
 * Reads one partition, in whatever order records were produced; without a group, so that offsets are the caller's. Resolves once the
 * partition's bounds are known, however long the broker takes. Stands at the first kept offset until `seek`. An offset that retention
 * has passed while nobody read is replaced by the first kept one, one beyond the end by the end; both are logged with what is lost. `read`
 * rejects once the topic is another one of the same name.
 */
export async function openPartitionReader(options: PartitionReaderOptions): Promise<KafkaPartitionReader> {
  const pool = shareFetchPool(options.connection);
  try {
    const fetched = await pool.open(options.topic, options.partition, options.signal);
    fetched.isStored = options.isStored ?? false;
    return new Reader(options, pool, fetched);
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

class Reader implements KafkaPartitionReader {
  readonly #options: PartitionReaderOptions;
  readonly #pool: FetchPool;
  readonly #fetched: FetchPartition;

  constructor(options: PartitionReaderOptions, pool: FetchPool, fetched: FetchPartition) {
    this.#options = options;
    this.#pool = pool;
    this.#fetched = fetched;
  }

  firstOffset(): number {
    return this.#fetched.firstOffset;
  }

  endOffset(): number {
    return this.#fetched.endOffset;
  }

  logId(): string {
    return this.#fetched.topicId;
  }

  isCurrent(): boolean {
    return this.#fetched.isCurrent(this.#options.connection.clock.monotonicMs());
  }

  position(): number {
    return this.#fetched.position ?? this.#fetched.firstOffset;
  }

  failure(): Error | null {
    return this.#fetched.failure;
  }

  /** An offset beyond the end as last heard is judged by the broker at the next fetch. */
  seek(offset: number): number {
    const stands = Math.max(offset, this.#fetched.firstOffset);
    this.#fetched.seek(stands);
    return stands;
  }

  async read(committedOffset: number, maxBytes: number): Promise<LogRecord[] | null> {
    this.#start();
    if (this.#fetched.broken) throw this.#fetched.broken;
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let next = this.#fetched.peek(); next && next.offset < committedOffset; next = this.#fetched.peek()) {
      if (records.length > 0 && bytes + (next.value?.length ?? 0) > maxBytes) break;
      const decoded = this.#decode(next);
      if (!('reason' in decoded)) {
        records.push(decoded);
        bytes += decoded.bytes.length;
      } else if (records.length > 0) break;
      else if (!(await this.#giveUp(next, decoded.reason))) return null;
      this.#fetched.take();
    }
    if (records.length === 0) return null;
    this.#options.connection.metrics.add(KAFKA_CONSUMER_METRICS.records, records.length, { topic: this.#options.topic });
    return records;
  }

  async wait(timeoutMs: number): Promise<void> {
    const { connection, signal } = this.#options;
    if (signal?.aborted) return;
    this.#start();
    const { promise, resolve } = Promise.withResolvers<void>();
    const arrival = this.#fetched.arrival();
    const stopTimer = connection.clock.after(timeoutMs, resolve);
    const onAbort = (): void => resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    await Promise.race([arrival.promise, promise]);
    signal?.removeEventListener('abort', onAbort);
    stopTimer();
    arrival.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool.close(this.#fetched);
    await this.#pool[Symbol.asyncDispose]();
  }

  #start(): void {
    if (this.#fetched.nextOffset === null) this.#fetched.seek(this.#fetched.firstOffset);
  }

  #decode(record: FetchedRecord): LogRecord | { reason: string } {
    if (record.damage !== '') return { reason: record.damage };
    const headers = record.headers.map(([name, value]) => [name ?? '', value] as const);
    const { offset, value, appendedMs } = record;
    const decoded = decodeRecord({ partition: this.#options.partition, offset: BigInt(offset), value, headers });
    // Of many hosts that receive, one may have a wrong clock: the brokers' is one for all of them.
    return appendedMs === null || 'reason' in decoded ? decoded : { ...decoded, receivedAtMs: appendedMs };
  }

  /** False when the reader has been moved meanwhile, so that the record is no longer the next. */
  async #giveUp(record: FetchedRecord, reason: string): Promise<boolean> {
    const { topic, partition, connection, onUnreadable } = this.#options;
    const headers = record.headers.map(([name, value]) => [name?.toString() ?? '', value ?? Buffer.alloc(0)] as const);
    await onUnreadable({ topic, partition, offset: record.offset, reason, value: record.value ?? Buffer.alloc(0), headers });
    connection.metrics.add(KAFKA_CONSUMER_METRICS.unreadable, 1, { topic });
    connection.logger.warn('passed a record that cannot be read', { topic, partition, offset: record.offset, reason });
    return this.#fetched.peek() === record;
  }
}
