import type { GroupAssignment } from '@platformatic/kafka';
import { Backoff } from '../../lib/backoff.ts';
import { KAFKA_CONSUMER_METRICS } from '../metrics.ts';
import type { DeadLetter, PartitionGroup, PartitionLag, PartitionWork } from '../partition-log.ts';
import { endsWithin } from './bounded-wait.ts';
import type { KafkaConnection } from './connection.ts';
import { shareFetchPool, type FetchPool } from './fetch-pool.ts';
import { openGroupMembership, type GroupMembership } from './group-membership.ts';
import { openPartitionReader, type KafkaPartitionReader } from './partition-reader.ts';

export interface PartitionGroupOptions {
  connection: KafkaConnection;
  /** Its name without the prefix that is configured. */
  group: string;
  topics: readonly string[];
  work: PartitionWork;
  onUnreadable: (letter: DeadLetter) => Promise<void>;
}

/** Work on one partition, from its assignment until it has ended. */
interface Run {
  topic: string;
  partition: number;
  stop: AbortController;
  ended: Promise<void>;
  reader: KafkaPartitionReader | null;
  /** What the work has said, and what Kafka knows of it. */
  committed: number | null;
  shown: number | null;
}

const SHOW_MS = 1000;
const BACKOFF = { firstMs: 250, longestMs: 10_000 };
/** How long work may take to end when the process stops. */
const CLOSE_MS = 10_000;

/**
 * Resolves at once and joins in the background; `failure` says why it has not come to that yet. Of one partition at most one `work`
 * runs in this process, also when it comes back before the last one has ended; between processes the offsets' owner (a database)
 * must fence, for a member that hangs cannot be made to end its work.
 */
export function openPartitionGroup(options: PartitionGroupOptions): Promise<PartitionGroup> {
  return Promise.resolve(new Group(options));
}

class Group implements PartitionGroup {
  readonly #options: PartitionGroupOptions;
  readonly #pool: FetchPool;
  readonly #membership: GroupMembership;
  readonly #runs = new Map<string, Run>();
  /** Ends of works that were told to stop. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #stopTimer: () => void;

  constructor(options: PartitionGroupOptions) {
    const { connection, topics } = options;
    this.#options = options;
    // Held as long as the group, so that connections outlive single partitions.
    this.#pool = shareFetchPool(connection);
    this.#membership = openGroupMembership({
      connection,
      group: connection.config.group_prefix + options.group,
      topics,
      onAssigned: (held) => this.#hold(held),
      onRevoked: (held) => this.#release(held),
    });
    this.#stopTimer = connection.clock.every(SHOW_MS, () => void this.#show());
  }

  lags(): PartitionLag[] {
    return [...this.#runs.values()].flatMap(({ topic, partition, reader, committed }) =>
      reader ? [{ topic, partition, nextOffset: committed ?? reader.position(), endOffset: reader.endOffset() }] : [],
    );
  }

  failure(): Error | null {
    return this.#membership.failure() ?? this.#pool.failure();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimer();
    await endsWithin(this.#options.connection.clock, CLOSE_MS, this.#release([]));
    await this.#membership[Symbol.asyncDispose]();
    await this.#pool[Symbol.asyncDispose]();
  }

  #hold(held: readonly GroupAssignment[]): void {
    void this.#release(held);
    for (const { topic, partitions } of held) {
      for (const partition of partitions) if (!this.#runs.has(keyOf(topic, partition))) this.#begin(topic, partition);
    }
    this.#showAssigned();
  }

  async #release(held: readonly GroupAssignment[]): Promise<void> {
    const kept = new Set(held.flatMap(({ topic, partitions }) => partitions.map((partition) => keyOf(topic, partition))));
    const lost = [...this.#runs].filter(([key]) => !kept.has(key));
    const changed = lost.map(([, run]) => run).filter((run) => run.committed !== run.shown);
    for (const [key, run] of lost) {
      this.#runs.delete(key);
      run.stop.abort();
      this.#showLag(run.topic, run.partition, 0);
    }
    this.#showAssigned();
    await Promise.all(this.#ending.values());
    // How far they were is shown once more, while they are still ours; nobody reads it.
    if (changed.length > 0) await this.#commit(changed);
  }

  #begin(topic: string, partition: number): void {
    const key = keyOf(topic, partition);
    const stop = new AbortController();
    const run: Run = { topic, partition, stop, ended: Promise.resolve(), reader: null, committed: null, shown: null };
    const before = this.#ending.get(key) ?? Promise.resolve();
    run.ended = before.then(() => this.#work(run));
    this.#runs.set(key, run);
    const ended = run.ended.finally(() => {
      if (this.#ending.get(key) === ended) this.#ending.delete(key);
    });
    stop.signal.addEventListener('abort', () => this.#ending.set(key, ended), { once: true });
  }

  /** Runs the work again and again until the partition is gone; never rejects. */
  async #work(run: Run): Promise<void> {
    const { connection, work, onUnreadable, group } = this.#options;
    const { topic, partition, stop } = run;
    const { signal } = stop;
    const backoff = new Backoff(BACKOFF, connection.prng);
    while (!signal.aborted) {
      const startedMs = connection.clock.monotonicMs();
      try {
        await using reader = await openPartitionReader({ connection, topic, partition, onUnreadable, signal, isStored: true });
        run.reader = reader;
        await work({ topic, partition, signal, reader, committed: (nextOffset) => (run.committed = nextOffset) });
        if (!signal.aborted) throw new Error('it ended without being told to');
      } catch (error) {
        if (signal.aborted) break;
        connection.metrics.add(KAFKA_CONSUMER_METRICS.failedWork, 1, { group, topic });
        connection.logger.error(`work on ${topic}/${partition} failed and begins again: ${(error as Error).message}`, { group });
        if (connection.clock.monotonicMs() - startedMs > BACKOFF.longestMs) backoff.reset();
        await connection.clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
      } finally {
        run.reader = null;
      }
    }
  }

  async #show(): Promise<void> {
    for (const { topic, partition, nextOffset, endOffset } of this.lags()) {
      this.#showLag(topic, partition, Math.max(0, endOffset - nextOffset));
    }
    const changed = [...this.#runs.values()].filter(({ committed, shown }) => committed !== shown);
    if (changed.length > 0) await this.#commit(changed);
  }

  /** Best effort: Kafka's own offsets only show the lag to other tools. */
  async #commit(runs: readonly Run[]): Promise<void> {
    const offsets = runs.map(({ topic, partition, committed }) => ({ topic, partition, nextOffset: committed! }));
    try {
      await this.#membership.commit(offsets);
      for (const [i, run] of runs.entries()) run.shown = offsets[i]!.nextOffset;
    } catch (error) {
      this.#options.connection.logger.debug('could not tell the group its offsets', { reason: (error as Error).message });
    }
  }

  #showAssigned(): void {
    this.#options.connection.metrics.set(KAFKA_CONSUMER_METRICS.assigned, this.#runs.size, { group: this.#options.group });
  }

  #showLag(topic: string, partition: number, records: number): void {
    const labels = { group: this.#options.group, topic, partition: String(partition) };
    this.#options.connection.metrics.set(KAFKA_CONSUMER_METRICS.lag, records, labels);
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
