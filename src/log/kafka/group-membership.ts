import { Consumer, type GroupAssignment } from '@platformatic/kafka';
import { Backoff } from '../../lib/backoff.ts';
import { HeliosError } from '../../lib/errors.ts';
import { KAFKA_CONSUMER_METRICS } from '../metrics.ts';
import { endsWithin } from './bounded-wait.ts';
import type { KafkaConnection } from './connection.ts';
import { kafkaFailure } from './failure.ts';

export interface GroupOffset {
  topic: string;
  partition: number;
  nextOffset: number;
}

export interface GroupMembershipOptions {
  connection: KafkaConnection;
  /** The group's id in Kafka. */
  group: string;
  topics: readonly string[];
  /** These partitions are held from now on. */
  onAssigned: (held: readonly GroupAssignment[]) => void;
  /** All other partitions are to be let go; resolves when nothing works on them any more. The group waits for it, boundedly. */
  onRevoked: (held: readonly GroupAssignment[]) => Promise<void>;
}

/** Being a member of a consumer group, and nothing else: joining, heartbeats, and telling which partitions that gives. */
export interface GroupMembership extends AsyncDisposable {
  /** Tells the group how far its partitions are; rejects when that is not possible now. */
  commit(offsets: readonly GroupOffset[]): Promise<void>;
  failure(): Error | null;
}

const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1000;
const REBALANCE_MS = 15_000;
/** How long the group waits for work on lost partitions: no heartbeat is sent meanwhile, so well below the session. */
const RELEASE_MS = 5000;
const WATCH_MS = 500;
/** A member that has heard nothing for so many sessions begins anew with a new client. */
const HOPELESS_SESSIONS = 3;
const MAX_JOIN_FAILURES = 5;
const RECOUNT_MS = 30_000;
const CLOSE_MS = 3000;
const BACKOFF = { firstMs: 250, longestMs: 10_000 };
/** Cooperative: partitions that stay where they are go on undisturbed through a rebalance (KIP-429). */
const PROTOCOL = { name: 'cooperative-sticky', version: 3 };

/** Joins in the background and goes on trying; never rejects. */
export function openGroupMembership(options: GroupMembershipOptions): GroupMembership {
  return new Membership(options);
}

class Membership implements GroupMembership {
  readonly #options: GroupMembershipOptions;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #consumer: Consumer | null = null;
  #failure: Error | null;
  /** Monotonic time at which the last answered heartbeat was sent: an answer that lay in the socket while we slept proves nothing. */
  #aliveMs = 0;
  #heartbeatSentMs = 0;
  #isJoining = true;
  /** No answer for a whole session: the partitions may be someone else's. */
  #isLost = false;
  /** Partition counts as of the last join. */
  #counts = '';

  constructor(options: GroupMembershipOptions) {
    this.#options = options;
    this.#backoff = new Backoff(BACKOFF, options.connection.prng);
    this.#failure = this.#error('it has not been joined yet');
    this.#running = this.#run();
  }

  failure(): Error | null {
    return this.#failure;
  }

  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    if (!this.#consumer || this.#isJoining || this.#isLost) throw this.#error('it is not joined now');
    await this.#consumer.commit({
      offsets: offsets.map(({ topic, partition, nextOffset }) => ({
        topic,
        partition,
        offset: BigInt(nextOffset),
        leaderEpoch: -1,
      })),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  #error(reason: string, cause?: unknown): HeliosError {
    return new HeliosError('log_unavailable', `cannot work in the group ${this.#options.group}: ${reason}`, { cause });
  }

  #now(): number {
    return this.#options.connection.clock.monotonicMs();
  }

  /** One client after another, each until it is beyond repair. */
  async #run(): Promise<void> {
    const { clock, logger } = this.#options.connection;
    while (!this.#closing.signal.aborted) {
      const consumer = this.#build();
      try {
        await this.#live(consumer);
      } catch (error) {
        this.#failed(error);
        logger.warn('the group is joined anew', { group: this.#options.group, reason: (error as Error).message });
      }
      await this.#release([]);
      this.#consumer = null;
      // Leaving tells the others at once; a broker that does not answer must not hold us.
      await endsWithin(
        clock,
        CLOSE_MS,
        consumer.close(true).catch(() => undefined),
      );
      await this.#pause();
    }
  }

  #build(): Consumer {
    const { connection, group, topics } = this.#options;
    const consumer = new Consumer({
      ...connection.clientOptions,
      groupId: group,
      autocommit: false,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      protocols: [PROTOCOL],
      retries: 0,
      // Asked right before every join: the one place where the client lets us end our work first.
      protocolsMetadata: async (_protocols, _topics, metadata) => {
        this.#isJoining = true;
        this.#counts = topics.map((topic) => metadata.topics.get(topic)?.partitionsCount).join();
        await this.#release(consumer.assignments ?? []);
        return Buffer.alloc(0);
      },
    });
    for (const topic of topics) consumer.topics.track(topic);
    this.#consumer = consumer;
    this.#isJoining = true;
    this.#isLost = false;
    this.#aliveMs = this.#now();
    return consumer;
  }

  /** Joins, and joins again whenever that has failed; rejects when a new client is needed. */
  async #live(consumer: Consumer): Promise<void> {
    await using watch = new AsyncDisposableStack();
    const { clock } = this.#options.connection;
    const { promise: hopeless, reject } = Promise.withResolvers<never>();
    hopeless.catch(() => undefined);
    watch.defer(clock.every(WATCH_MS, () => this.#watch(reject)));
    let rejoin = Promise.withResolvers<void>();
    consumer.on('error', (error) => {
      this.#failed(error);
      rejoin.resolve();
    });
    watch.defer(clock.every(RECOUNT_MS, () => void this.#recount(consumer, () => rejoin.resolve())));
    consumer.on('consumer:heartbeat:start', () => {
      this.#heartbeatSentMs = this.#now();
    });
    consumer.on('consumer:heartbeat:end', () => this.#answered(consumer));
    consumer.on('consumer:group:join', () => this.#joined(consumer));
    const closed = new Promise<void>((resolve) =>
      this.#closing.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    for (let failures = 0; !this.#closing.signal.aborted;) {
      rejoin = Promise.withResolvers();
      const joined = consumer.joinGroup({}).then(
        () => true,
        (error: unknown) => {
          this.#failed(error);
          return false;
        },
      );
      const isJoined = await Promise.race([joined, hopeless, closed.then(() => true)]);
      failures = isJoined ? 0 : failures + 1;
      if (failures >= MAX_JOIN_FAILURES) throw this.#failure!;
      if (isJoined) await Promise.race([rejoin.promise, hopeless, closed]);
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { clock } = this.#options.connection;
    await clock.sleep(this.#backoff.nextMs(), this.#closing.signal).catch(() => undefined);
  }

  #failed(error: unknown): void {
    this.#failure = error instanceof HeliosError ? error : this.#error(kafkaFailure(error).reason, error);
    this.#options.connection.logger.debug(this.#failure.message);
  }

  #joined(consumer: Consumer): void {
    const { connection, group, onAssigned } = this.#options;
    const held = consumer.assignments ?? [];
    this.#isJoining = false;
    this.#isLost = false;
    this.#aliveMs = this.#now();
    this.#failure = null;
    this.#backoff.reset();
    connection.metrics.add(KAFKA_CONSUMER_METRICS.rebalances, 1, { group });
    connection.logger.info('joined a group', {
      group,
      held: held.map(({ topic, partitions }) => `${topic}/${partitions.join()}`),
    });
    if (!this.#closing.signal.aborted) onAssigned(held);
  }

  #answered(consumer: Consumer): void {
    if (this.#isJoining || this.#closing.signal.aborted) return;
    this.#aliveMs = this.#heartbeatSentMs;
    if (!this.#isLost || this.#now() - this.#aliveMs > SESSION_MS) return;
    // The coordinator still knows this member, so nobody else has got its partitions.
    this.#isLost = false;
    this.#failure = null;
    this.#options.onAssigned(consumer.assignments ?? []);
  }

  /** A session without an answer: the partitions are let go at once, whether or not anyone tells us to. */
  #watch(giveUp: (error: Error) => void): void {
    const { connection, group } = this.#options;
    const silentMs = this.#now() - this.#aliveMs;
    // While a join is under way the coordinator waits for others, and our partitions are still ours.
    const allowedMs = this.#isJoining ? SESSION_MS + REBALANCE_MS : SESSION_MS;
    if (silentMs > allowedMs && !this.#isLost) {
      this.#isLost = true;
      this.#failure = this.#error(`no heartbeat was answered for ${SESSION_MS / 1000} s`);
      connection.metrics.add(KAFKA_CONSUMER_METRICS.lostSessions, 1, { group });
      connection.logger.warn(this.#failure.message, { silentMs: Math.round(silentMs) });
      void this.#options.onRevoked([]);
    }
    if (silentMs > allowedMs + HOPELESS_SESSIONS * SESSION_MS) giveUp(this.#failure ?? this.#error('it is silent'));
  }

  async #release(held: readonly GroupAssignment[]): Promise<void> {
    const { connection, onRevoked, group } = this.#options;
    const isEnded = await endsWithin(connection.clock, RELEASE_MS, onRevoked(held));
    if (!isEnded) connection.logger.warn('work on partitions that were taken away has not ended yet', { group });
  }

  /** Partitions that were added to a topic are found by nobody else: whoever leads the group then shares them out. */
  async #recount(consumer: Consumer, rejoin: () => void): Promise<void> {
    const topics = [...this.#options.topics];
    const metadata = await consumer.metadata({ topics, forceUpdate: true }).catch(() => null);
    if (!metadata || this.#isJoining) return;
    if (topics.map((topic) => metadata.topics.get(topic)?.partitionsCount).join() !== this.#counts) rejoin();
  }
}
