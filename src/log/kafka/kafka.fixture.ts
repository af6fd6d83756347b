import { randomBytes } from 'node:crypto';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger, type Logger } from '../../lib/logger.ts';
import { silentMetrics, type Metrics } from '../../lib/metrics.ts';
import { createNames } from '../../model/event-batch.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import type { AppendRecord, EventLog, LogReader, LogRecord } from '../event-log.ts';
import { kafkaConfigSchema, type KafkaConfig } from './config.ts';
import { openKafkaConnection, type KafkaConnection } from './connection.ts';
import { FetchClient } from './fetch-client.ts';
import { openKafkaLog, type KafkaLogOptions } from './kafka-log.ts';
import { decodeRecord } from './record-codec.ts';
import { ensureTopics } from './topics.ts';

export interface Heard {
  level: string;
  message: string;
  fields: Record<string, unknown> | undefined;
}

/** A logger that remembers what it was told. */
export function listeningLogger(): { logger: Logger; heard: Heard[] } {
  const heard: Heard[] = [];
  const listen = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    void heard.push({ level, message, fields });
  return { heard, logger: { debug: listen('debug'), info: listen('info'), warn: listen('warn'), error: listen('error') } };
}

/** Counters by name. */
export function countingMetrics(): { metrics: Metrics; totals: Map<string, number> } {
  const totals = new Map<string, number>();
  const add: Metrics['add'] = ({ name }, value) => void totals.set(name, (totals.get(name) ?? 0) + value);
  return { totals, metrics: { ...silentMetrics, add } };
}

export function testConfig(brokers: string, overrides: Record<string, unknown> = {}): KafkaConfig {
  const suffix = randomBytes(6).toString('hex');
  const names = Object.fromEntries(
    ['events', 'metrics', 'traces', 'anomalies', 'edges', 'control'].map((name) => [`topic_${name}`, `test-${name}-${suffix}`]),
  );
  return kafkaConfigSchema.parse({ brokers: brokers.split(','), partitions: 3, replication: 1, ...names, ...overrides });
}

export function connectionTo(config: KafkaConfig, logger = silentLogger, metrics = silentMetrics): KafkaConnection {
  return openKafkaConnection({ config, clientId: 'test', logger, clock: systemClock, metrics });
}

export interface OpenedLog extends AsyncDisposable {
  config: KafkaConfig;
  connection: KafkaConnection;
  log: EventLog;
  reader: TopicReader;
}

/** A log on topics of its own, which go with it. */
export async function openTestLog(
  brokers: string,
  overrides: Record<string, unknown> = {},
  options: Partial<KafkaLogOptions> = {},
): Promise<OpenedLog> {
  const config = testConfig(brokers, overrides);
  const { logger = silentLogger, metrics = silentMetrics } = options;
  const connection = connectionTo(config, logger, metrics);
  const { topic_events: topic, topic_traces, partitions } = config;
  const topics = options.tracesTopic === undefined ? [topic] : [topic, topic_traces];
  await ensureTopics(
    connection,
    topics.map((name) => ({ topic: name, partitions, isCompacted: false })),
  );
  const traces = options.tracesTopic === undefined ? {} : { tracesTopic: topic_traces };
  const log = await openKafkaLog({ ...logOptions(connection, topic), ...options, ...traces });
  const reader = new TopicReader(connection, topic);
  const close = async (): Promise<void> => {
    await log[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
    await connection.persist('remove the topics', () => connection.admin.deleteTopics({ topics }));
    await connection[Symbol.asyncDispose]();
  };
  return { config, connection, log, reader, [Symbol.asyncDispose]: close };
}

export function logOptions(connection: KafkaConnection, topic: string): KafkaLogOptions {
  const { config, logger, metrics, clock } = connection;
  const idempotency = { windowMs: 86_400_000, maxKeys: 1000 };
  return { connection, topic, kind: 'events', config, clock, logger, metrics, idempotency };
}

/** Code of the protocol for an offset that retention has passed. */
const OUT_OF_RANGE = 1;

/** Every record of a topic, partition by partition, as far as there are any at the moment of asking. */
export class TopicReader implements LogReader {
  readonly #client: FetchClient;
  readonly #connection: KafkaConnection;
  readonly #topic: string;
  readonly #next = new Map<number, number>();

  constructor(connection: KafkaConnection, topic: string) {
    this.#connection = connection;
    this.#topic = topic;
    this.#client = new FetchClient(connection.clientOptions);
  }

  async read(): Promise<LogRecord[] | null> {
    const records = await this.#connection.persist('read the topic', () => this.#readOnce());
    if (records instanceof Error) throw records;
    return records.length > 0 ? records : null;
  }

  seek(): number {
    this.#next.clear();
    return 0;
  }

  /** All of them, from the start. */
  async readAll(): Promise<LogRecord[]> {
    this.seek();
    const all: LogRecord[] = [];
    for (let read = await this.read(); read; read = await this.read()) all.push(...read);
    return all;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  async #readOnce(): Promise<LogRecord[] | Error> {
    const { topicId, leaders } = await this.#client.leaders(this.#topic);
    for (const [partition, node] of leaders.entries()) {
      const { endOffset } = await this.#client.range(this.#topic, partition);
      const offset = this.#next.get(partition) ?? 0;
      if (offset >= endOffset) continue;
      const request = { topic: this.#topic, topicId, partition, offset, maxBytes: 4_000_000 };
      const [fetched] = await this.#client.fetch(node, [request], 500);
      if (fetched?.errorCode === OUT_OF_RANGE) return new Error(`retention has passed ${offset} of partition ${partition}`);
      if (!fetched || fetched.errorCode !== 0)
        throw new Error(`nothing was read of partition ${partition}: ${fetched?.errorCode}`);
      this.#next.set(partition, fetched.nextOffset);
      return fetched.records.map((record) => recordOf(partition, record));
    }
    return [];
  }
}

type Fetched = Awaited<ReturnType<FetchClient['fetch']>>[number]['records'][number];

function recordOf(partition: number, { offset, value, headers }: Fetched): LogRecord {
  const pairs = headers.map(([key, content]) => [key ?? '', content] as const);
  const decoded = decodeRecord({ partition, offset: BigInt(offset), value, headers: pairs });
  if ('reason' in decoded) throw new Error(decoded.reason);
  return decoded;
}

const names = createNames();

/** A record with its columns, as the doors append it: one event for each service, numbered by `number`. */
export function columnsOf(number: number, services: readonly string[], overrides: Partial<AppendRecord> = {}): AppendRecord {
  const lines = services.map((service, i) =>
    JSON.stringify({
      timestamp: new Date(Date.parse('2025-10-08T10:30:45Z') + number).toISOString(),
      service,
      level: 'INFO',
      message: `${number}.${i}`,
    }),
  );
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const { batch } = createJsonScanner(names).scan(bytes, NO_LIMITS);
  const timestampMs = Date.parse('2025-10-08T10:30:45Z') + number;
  return {
    bytes,
    count: services.length,
    minTimestampMs: timestampMs,
    maxTimestampMs: timestampMs,
    receivedAtMs: timestampMs + 10,
    clientId: 'client-1',
    batch,
    ...overrides,
  };
}

/** Services and messages of records, in the order of reading. */
export function eventsOf(records: readonly LogRecord[]): { service: string; message: string; partition: number }[] {
  return records.flatMap(({ bytes, position }) =>
    Buffer.from(bytes)
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => ({ ...(JSON.parse(line) as { service: string; message: string }), partition: position.partition })),
  );
}
