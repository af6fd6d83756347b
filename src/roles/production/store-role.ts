import type { AssignedPartition, DeadLetter } from '../../log/partition-log.ts';
import { openPartitionGroup } from '../../log/kafka/partition-group.ts';
import { createMetricScanner } from '../../model/metric-scanner.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { Scanner } from '../../model/scanner.ts';
import { openMetricPartitionWriter } from '../../store/timescale/metric-partition-writer.ts';
import { openPartitionWriter } from '../../store/timescale/partition-writer.ts';
import type { StoreUpdate } from '../../store/store.ts';
import type { Engines } from './engines.ts';
import { readEventTime } from './event-clock.ts';
import type { BackgroundRole } from './background-role.ts';
import { storePartition } from './partition-store.ts';
import type { PartitionSink } from './partition-store.ts';
import { openTableRetention } from './retention.ts';
import { adoptPartition } from './stored-offset.ts';

/** A group for each topic: one for both may give all partitions of events to one process, and all of metrics to the other. */
const EVENT_GROUP = 'storage-writers';
const POINT_GROUP = 'point-writers';
const NOTHING_DERIVED: StoreUpdate = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };

/** Stores events with their rollups, and metric points, of the partitions that this process gets. */
export async function openStoreRole(engines: Engines): Promise<BackgroundRole> {
  const { config, clock, logger, metrics, prng, connection, deadLetters, database } = engines;
  const scanner = createRotatingScanner({ entities: config.anomaly_detection.max_entities }, () => clock.nowMs());
  const now = (): Promise<number> => (config.clock === 'wall' ? Promise.resolve(clock.nowMs()) : readEventTime(database));
  const aging = { now, clock, logger, prng };
  const options = {
    clock,
    logger,
    metrics,
    prng,
    commitIntervalMs: config.database.batch_interval,
    retention: { ...aging, keepMs: config.store.retention },
  };
  const common = { connection, onUnreadable: (letter: DeadLetter) => deadLetters.put(letter) };
  await using opening = new AsyncDisposableStack();
  const storeEvents = async (assigned: AssignedPartition): Promise<void> => {
    await adoptPartition(assigned, { ...engines, group: EVENT_GROUP });
    await using sink = await openEventSink(assigned, engines, scanner);
    // Of all members of the group one has this partition.
    await using _aging =
      assigned.partition === 0 ? openTableRetention({ ...aging, keepMs: config.database.event_retention, database }) : null;
    await storePartition(assigned, sink, options);
  };
  const storePoints = async (assigned: AssignedPartition): Promise<void> => {
    await adoptPartition(assigned, { ...engines, group: POINT_GROUP });
    await using sink = await openPointSink(assigned, engines);
    await storePartition(assigned, sink, options);
  };
  const events = opening.use(
    await openPartitionGroup({ ...common, group: EVENT_GROUP, topics: [config.kafka.topic_events], work: storeEvents }),
  );
  const points = opening.use(
    await openPartitionGroup({ ...common, group: POINT_GROUP, topics: [config.kafka.topic_metrics], work: storePoints }),
  );
  const scope = opening.move();
  return {
    failure: () => events.failure() ?? points.failure(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

async function openEventSink(
  { topic, partition }: AssignedPartition,
  engines: Engines,
  scanner: Scanner,
): Promise<PartitionSink & AsyncDisposable> {
  const writer = await openPartitionWriter({
    ...engines.writerOptions({ group: EVENT_GROUP, topic, partition }),
    stores: 'events',
    onPoison: (letter) => engines.deadLetters.put(letter),
  });
  return {
    offset: () => writer.offset(),
    take(record) {
      const { bytes } = writer.filterParts(record);
      const { batch } = scanner.scan(bytes, NO_LIMITS);
      writer.observe(batch, record.position.offset);
      return batch.count;
    },
    isFull: () => writer.isFull(),
    commit: (nextOffset) => writer.commit(NOTHING_DERIVED, nextOffset),
    retain: (beforeMs) => writer.retain(beforeMs),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

async function openPointSink(
  { topic, partition }: AssignedPartition,
  engines: Engines,
): Promise<PartitionSink & AsyncDisposable> {
  const pointScanner = createMetricScanner();
  const { config, clock, logger, metrics, database, owner } = engines;
  const writer = await openMetricPartitionWriter({
    database,
    owner,
    group: POINT_GROUP,
    topic,
    partition,
    config: config.database,
    maxSeries: config.store.max_series,
    clock,
    logger,
    metrics,
  });
  return {
    offset: () => writer.offset(),
    take(record) {
      const { batch } = pointScanner.scan(record.bytes);
      writer.observe(batch, record.position.offset);
      return batch.count;
    },
    isFull: () => writer.isFull(),
    commit: (nextOffset) => writer.commit(nextOffset),
    retain: (beforeMs) => writer.retain(beforeMs),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
