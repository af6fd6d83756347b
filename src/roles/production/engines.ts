import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { openKafkaConnection } from '../../log/kafka/connection.ts';
import type { KafkaConnection } from '../../log/kafka/connection.ts';
import { createDeadLetters } from '../../log/kafka/dead-letters.ts';
import type { DeadLetters } from '../../log/kafka/dead-letters.ts';
import { openTopicProducer } from '../../log/kafka/topic-producer.ts';
import type { TopicProducer } from '../../log/kafka/topic-producer.ts';
import { ensureTopics, topicSpecs } from '../../log/kafka/topics.ts';
import type { Database } from '../../store/timescale/database.ts';
import { checkSchema, migrateDatabase } from '../../store/timescale/migrator.ts';
import type { PartitionKey } from '../../store/timescale/progress.ts';
import { openDatabase } from '../../store/timescale/pg-database.ts';
import { schemaConfig } from '../migrate.ts';
import type { PrometheusMetrics } from '../prometheus.ts';

/** What the roles of a process share: its connections to Kafka and to the database. */
export interface Engines {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: PrometheusMetrics;
  prng: Prng;
  /** This process among its like, for the database's eyes. */
  owner: string;
  connection: KafkaConnection;
  /** How many each topic has. */
  partitions: ReadonlyMap<string, number>;
  producer: TopicProducer;
  deadLetters: DeadLetters;
  database: Database;
  writerOptions: (key: PartitionKey) => PartitionWriterCommon;
}

type PartitionWriterCommon = PartitionKey &
  Pick<Engines, 'clock' | 'logger' | 'metrics' | 'database' | 'owner'> & {
    config: Config['database'];
    storeConfig: Config['store'];
  };

export interface EnginesOptions {
  config: Config;
  logger: Logger;
  metrics: PrometheusMetrics;
  /** Called with what the start waits for from now on. */
  onWaiting: (what: string) => void;
}

/** Connects to both, waiting for what is not up yet however long that takes, and brings topics and schema up to date; all of it is closed with the scope. */
export async function openEngines(options: EnginesOptions, scope: AsyncDisposableStack): Promise<Engines> {
  const { config, logger, metrics, onWaiting } = options;
  const clock = systemClock;
  const owner = `${hostname()}-${process.pid}-${clock.nowMs().toString(36)}`;
  // Only delays are drawn from it, so that processes which failed together do not come back together.
  const prng = createPrng(clock.nowMs() ^ (process.pid << 10));
  // What is wrong with its settings is said before anything is waited for.
  const connection = scope.use(openKafkaConnection({ config: config.kafka, clientId: owner, logger, clock, metrics }));
  onWaiting('the database');
  const applicationName = `helios ${config.target.join(',')}`;
  const database = scope.use(
    await openDatabase({ config: config.database, logger, clock, metrics, applicationName, waitMs: Infinity }),
  );
  if (config.database.migrate) await migrateDatabase(database, { config: schemaConfig(config), logger });
  else await checkSchema(database);
  onWaiting('Kafka');
  const partitions = await ensureTopics(connection, topicSpecs(config.kafka));
  const producer = scope.use(await openTopicProducer(connection));
  const writerOptions = (key: PartitionKey): PartitionWriterCommon => {
    return { ...key, database, owner, config: config.database, storeConfig: config.store, clock, logger, metrics };
  };
  const deadLetters = createDeadLetters(producer, config.kafka.dead_letter_suffix);
  return { config, clock, logger, metrics, prng, owner, connection, partitions, producer, deadLetters, database, writerOptions };
}
