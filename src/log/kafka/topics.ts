import type { KafkaConfig } from './config.ts';
import type { KafkaConnection } from './connection.ts';
import { HeliosError } from '../../lib/errors.ts';
import { kafkaFailure } from './failure.ts';

export interface TopicSpec {
  topic: string;
  partitions: number;
  /** Keeps the newest record of every key instead of all records for some time. */
  isCompacted: boolean;
}

/** Every topic that HELIOS uses, as configured. */
export function topicSpecs(config: KafkaConfig): TopicSpec[] {
  const { partitions, dead_letter_suffix: suffix } = config;
  const streams = [config.topic_events, config.topic_metrics, config.topic_traces, config.topic_anomalies];
  return [
    ...streams.map((topic) => ({ topic, partitions, isCompacted: false })),
    ...streams.map((topic) => ({ topic: topic + suffix, partitions, isCompacted: false })),
    ...[config.topic_edges, config.topic_control].map((topic) => ({ topic, partitions, isCompacted: true })),
  ];
}

/** What the broker takes by default (message.max.bytes), and room for a batch's own head. */
const DEFAULT_MESSAGE_BYTES = 1_048_588;
const BATCH_OVERHEAD_BYTES = 65_536;

function configsOf(config: KafkaConfig, { isCompacted }: TopicSpec): { name: string; value: string }[] {
  const values: Record<string, string> = {
    'min.insync.replicas': config.replication >= 3 ? '2' : '1',
    // The brokers' clock, for the hosts that produce may have wrong ones.
    'message.timestamp.type': 'LogAppendTime',
    // What the producer has compressed stays as it is.
    'compression.type': 'producer',
    ...(isCompacted ? { 'cleanup.policy': 'compact' } : { 'cleanup.policy': 'delete', 'retention.ms': String(config.retention) }),
  };
  const needed = config.max_record + BATCH_OVERHEAD_BYTES;
  if (needed > DEFAULT_MESSAGE_BYTES) values['max.message.bytes'] = String(needed);
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function namesOf(specs: readonly TopicSpec[]): string {
  return specs.map(({ topic }) => topic).join(', ');
}

/** Creates a topic; that another process was faster is as good. */
async function createTopic(connection: KafkaConnection, spec: TopicSpec): Promise<void> {
  const { admin, config, logger } = connection;
  const { replication } = config;
  try {
    await connection.persist(`create the topic ${spec.topic}`, async () => {
      try {
        await admin.createTopics({
          topics: [{ topic: spec.topic, partitions: spec.partitions, replicas: replication }],
          configs: configsOf(config, spec),
        });
        logger.info('created a topic', { ...spec, replication });
      } catch (error) {
        const { code, reason } = kafkaFailure(error);
        if (code === 'TOPIC_ALREADY_EXISTS') return;
        if (code !== 'INVALID_REPLICATION_FACTOR') throw error;
        throw new HeliosError(
          'invalid_config',
          `cannot create the topic ${spec.topic} with kafka.replication ${replication}: ${reason}`,
          {
            cause: error,
            details: { field: 'kafka.replication' },
          },
        );
      }
    });
  } catch (error) {
    if (error instanceof HeliosError && kafkaFailure(error.cause).kind === 'forbidden') {
      const told = `${error.message}; create it by hand or grant the right`;
      throw new HeliosError('log_unavailable', told, { cause: error.cause });
    }
    throw error;
  }
}

/** Partition counts of the topics among these that exist. */
async function findTopics(connection: KafkaConnection, specs: readonly TopicSpec[]): Promise<Map<string, number>> {
  return connection.persist('ask the broker for its topics', async () => {
    const { admin } = connection;
    const existing = new Set(await admin.listTopics());
    const wanted = specs.map(({ topic }) => topic).filter((topic) => existing.has(topic));
    if (wanted.length === 0) return new Map();
    const { topics } = await admin.metadata({ topics: wanted, forceUpdate: true });
    return new Map([...topics].map(([topic, { partitionsCount }]) => [topic, partitionsCount]));
  });
}

/**
 * Sees to it that the topics are there, waiting for a broker as long as it takes; several processes may do so at once. Resolves to how
 * many partitions each has, which may be others than configured: that is said, and what exists is used. Throws
 * `log_unavailable` with their names when topics are missing and may not be created, `invalid_config` when the cluster cannot hold so
 * many replicas.
 */
export async function ensureTopics(connection: KafkaConnection, specs: readonly TopicSpec[]): Promise<Map<string, number>> {
  const { config, logger, clock, closing } = connection;
  let found = await findTopics(connection, specs);
  const missing = specs.filter(({ topic }) => !found.has(topic));
  if (missing.length > 0 && !config.create_topics) {
    const names = namesOf(missing);
    throw new HeliosError(
      'log_unavailable',
      `cannot use the topics ${names}: they do not exist, and kafka.create_topics is off`,
      {
        details: { field: 'kafka.create_topics' },
      },
    );
  }
  for (const spec of missing) await createTopic(connection, spec);
  // The broker that is asked may hear of a new topic a moment after the one that made it.
  while (found.size < specs.length) {
    found = await findTopics(connection, specs);
    if (found.size < specs.length) await clock.sleep(200, closing);
  }
  for (const { topic, partitions } of specs) {
    const actual = found.get(topic);
    if (actual !== partitions)
      logger.warn('a topic has another number of partitions than configured', { topic, actual, partitions });
  }
  return found;
}
