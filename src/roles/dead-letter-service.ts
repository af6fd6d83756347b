import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import type { KafkaConnection } from '../log/kafka/connection.ts';
import { openKafkaConnection } from '../log/kafka/connection.ts';
import { listDeadLetters, retryDeadLetters } from '../log/kafka/dead-letters.ts';
import { openTopicProducer } from '../log/kafka/topic-producer.ts';

/** A broker that has not answered by then is taken for absent. */
const CONTACT_MS = 30_000;

/** A record, or a part of one, that could not be read. */
export interface Letter {
  /** TOPIC/ID, which no other letter has. */
  name: string;
  /** Where it comes from. */
  topic: string;
  partition: number;
  offset: number;
  /** ISO 8601. */
  at: string;
  /** When it was last put back, or null. */
  retriedAt: string | null;
  reason: string;
  valueBytes: number;
}

export interface FullLetter extends Letter {
  value: Uint8Array;
}

export interface DeadLetterServiceOptions {
  config: Config;
  logger: Logger;
  clock?: Clock;
}

/** Works on the brokers themselves: no other process of HELIOS has to run. */
export interface DeadLetterService extends AsyncDisposable {
  /** The newest first, of one source topic or of all that are configured. */
  list(query: { topic?: string | undefined; limit: number }): Promise<{ letters: Letter[]; hasMore: boolean }>;
  /** `not_found` when there is none of this name. */
  get(name: string): Promise<FullLetter>;
  /** Puts letters back to where they come from: the one of this name, or all that have not been before. Resolves to their names. */
  retry(which: { name: string; again: boolean } | { topic?: string | undefined }): Promise<string[]>;
}

type Stored = Awaited<ReturnType<typeof listDeadLetters>>[number];

function nameOf(topic: string, id: string): string {
  return `${topic}/${id}`;
}

function letterOf({ id, topic, partition, offset, reason, atMs, retriedAtMs, valueBytes }: Stored): Letter {
  const retriedAt = retriedAtMs === null ? null : isoTime(retriedAtMs);
  return { name: nameOf(topic, id), topic, partition, offset, at: isoTime(atMs), retriedAt, reason, valueBytes };
}

function partsOf(name: string): { topic: string; ids: string[] } {
  const slash = name.lastIndexOf('/');
  if (slash > 0) return { topic: name.slice(0, slash), ids: [name.slice(slash + 1)] };
  throw new HeliosError('invalid_argument', `cannot take ${name} for a dead letter: its name is TOPIC/ID, as lists show it`);
}

class KafkaDeadLetterService implements DeadLetterService {
  readonly #connection: KafkaConnection;
  /** Topics that may have dead letters: all of the brokers, and this installation's. */
  readonly #topics: ReadonlySet<string>;
  readonly #own: readonly string[];

  constructor(connection: KafkaConnection, topics: readonly string[]) {
    this.#connection = connection;
    this.#topics = new Set(topics);
    const { topic_events: events, topic_metrics: metrics, topic_traces: traces, topic_anomalies: anomalies } = connection.config;
    this.#own = [events, metrics, traces, anomalies].filter((topic) => this.#topics.has(topic));
  }

  async list({ topic, limit }: { topic?: string | undefined; limit: number }): Promise<{ letters: Letter[]; hasMore: boolean }> {
    const found: Letter[] = [];
    for (const source of this.#sources(topic)) {
      const query = { connection: this.#connection, topic: source, limit: limit + 1, maxValueBytes: 0 };
      found.push(...(await listDeadLetters(query)).map(letterOf));
    }
    found.sort((a, b) => (a.at === b.at ? b.offset - a.offset : a.at < b.at ? 1 : -1));
    return { letters: found.slice(0, limit), hasMore: found.length > limit };
  }

  async get(name: string): Promise<FullLetter> {
    const { topic, ids } = partsOf(name);
    const [source] = this.#sources(topic);
    const [stored] = await listDeadLetters({ connection: this.#connection, topic: source as string, ids, limit: 1 });
    if (stored === undefined)
      throw new HeliosError('not_found', `cannot find the dead letter ${name}: there is none of that name`);
    return { ...letterOf(stored), value: stored.value };
  }

  async retry(which: { name: string; again: boolean } | { topic?: string | undefined }): Promise<string[]> {
    await using producer = await openTopicProducer(this.#connection);
    const common = { connection: this.#connection, producer };
    if ('name' in which) {
      const letter = await this.get(which.name);
      const { topic, ids } = partsOf(which.name);
      const retried = await retryDeadLetters({ ...common, topic, ids, again: which.again });
      if (retried.length > 0) return [which.name];
      throw new HeliosError('conflict', `cannot retry ${which.name}: that was done at ${letter.retriedAt}`);
    }
    const names: string[] = [];
    for (const topic of this.#sources(which.topic)) {
      names.push(...(await retryDeadLetters({ ...common, topic })).map((id) => nameOf(topic, id)));
    }
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  #sources(topic: string | undefined): readonly string[] {
    if (topic === undefined) return this.#own;
    if (this.#topics.has(topic)) return [topic];
    const missing = topic + this.#connection.config.dead_letter_suffix;
    throw new HeliosError('not_found', `cannot find dead letters of ${topic}: there is no topic ${missing}`);
  }
}

/** The topics that have one for dead letters beside them. */
async function sourceTopics(connection: KafkaConnection, clock: Clock): Promise<string[]> {
  const { brokers, dead_letter_suffix: suffix } = connection.config;
  const absent = new AbortController();
  const seconds = CONTACT_MS / 1000;
  const reason = new HeliosError('log_unavailable', `cannot reach Kafka at ${brokers.join(', ')}: no answer within ${seconds} s`);
  const stopTimer = clock.after(CONTACT_MS, () => absent.abort(reason));
  try {
    const ask = (): Promise<string[]> => connection.admin.listTopics();
    const topics = await connection.persist('ask the broker for its topics', ask, absent.signal);
    return topics
      .filter((topic) => topic.endsWith(suffix) && topic.length > suffix.length)
      .map((topic) => topic.slice(0, -suffix.length))
      .sort();
  } finally {
    stopTimer();
  }
}

/** Rejects with `log_unavailable` when no broker answers within 30 seconds. */
export async function openDeadLetterService(options: DeadLetterServiceOptions): Promise<DeadLetterService> {
  const { config, logger, clock = systemClock } = options;
  const connection = openKafkaConnection({ config: config.kafka, clientId: 'helios-dlq', logger, clock, metrics: silentMetrics });
  try {
    return new KafkaDeadLetterService(connection, await sourceTopics(connection, clock));
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}
