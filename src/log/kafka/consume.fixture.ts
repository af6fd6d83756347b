import { randomBytes } from 'node:crypto';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { LogRecord } from '../event-log.ts';
import type { DeadLetter } from '../partition-log.ts';
import type { KafkaConnection } from './connection.ts';
import { connectionTo, countingMetrics, testConfig } from './kafka.fixture.ts';
import type { KafkaPartitionReader } from './partition-reader.ts';
import { encodeRecordHeaders } from './record-codec.ts';
import { openTopicProducer, type TopicMessage, type TopicProducer } from './topic-producer.ts';
import { ensureTopics } from './topics.ts';

export interface TestTopic extends AsyncDisposable {
  connection: KafkaConnection;
  producer: TopicProducer;
  topic: string;
  /** Counters by name. */
  totals: Map<string, number>;
}

/** A topic of the test's own with its dead letters, and what reaches it; all go with it. */
export async function openTestTopic(
  brokers: string,
  options: { partitions?: number; replication?: number; isCompacted?: boolean; logger?: KafkaConnection['logger'] } = {},
): Promise<TestTopic> {
  const { partitions = 1, replication = 1, isCompacted = false, logger = silentLogger } = options;
  const { metrics, totals } = countingMetrics();
  const config = testConfig(brokers, { partitions, replication });
  const connection = connectionTo(config, logger, metrics);
  const topic = `test-consume-${randomBytes(6).toString('hex')}`;
  const topics = [topic, topic + config.dead_letter_suffix];
  await ensureTopics(
    connection,
    topics.map((name) => ({ topic: name, partitions, isCompacted })),
  );
  const producer = await openTopicProducer(connection);
  return {
    connection,
    producer,
    topic,
    totals,
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]();
      await connection.persist('remove the topics', () => connection.admin.deleteTopics({ topics }));
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** A record of `count` lines that name it. */
export function message(name: string, { partition = 0, count = 1, padding = 0 } = {}): TopicMessage {
  const line = `{"name":"${name}","padding":"${'x'.repeat(padding)}"}\n`;
  const head = { clientId: 'test', receivedAtMs: 1000, count, minTimestampMs: 1, maxTimestampMs: 2 };
  const headers = Object.fromEntries([...encodeRecordHeaders(head)].map(([key, value]) => [key.toString(), value]));
  return { partition, value: line.repeat(count), headers };
}

export function namesOf(records: readonly LogRecord[] | null): string[] {
  return (records ?? []).map(({ bytes }) => (JSON.parse(Buffer.from(bytes).toString().split('\n')[0]!) as { name: string }).name);
}

/** Reads until `count` records have come. */
export async function readSome(reader: KafkaPartitionReader, count: number, maxBytes = 1_000_000): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  while (records.length < count) {
    const read = await reader.read(Infinity, maxBytes);
    if (read) records.push(...read);
    else await reader.wait(1000);
  }
  return records;
}

export function noLetters(letter: DeadLetter): Promise<void> {
  throw new HeliosError('internal', `cannot read ${letter.offset}: ${letter.reason}`);
}
