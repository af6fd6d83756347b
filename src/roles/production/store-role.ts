import type { AssignedPartition, PartitionGroup } from '../../log/partition-log.ts';
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
import { storePartition } from './partition-store.ts';
import type { PartitionSink } from './partition-store.ts';
import { openTableRetention } from './retention.ts';
import { adoptPartition } from './stored-offset.ts';

const GROUP = 'storage-writers';
const NOTHING_DERIVED: StoreUpdate = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };

/** Stores events with their rollups, and metric points, of the partitions that this process gets. */
export async function openStoreRole(engines: Engines): Promise<PartitionGroup> {
  const { config, clock, logger, metrics, prng, connection, deadLetters } = engines;
  const { topic_events: events, topic_metrics: points } = config.kafka;
  const scanner = createRotatingScanner({ entities: config.anomaly_detection.max_entities }, () => clock.nowMs());
  const now = (): Promise<number> => (config.clock === 'wall' ? Promise.resolve(clock.nowMs()) : readEventTime(engines.database));
  const aging = { now, clock, logger, prng };
  const options = {
    clock,
    logger,
    metrics,
    prng,
    commitIntervalMs: config.database.batch_interval,
    retention: { ...aging, keepMs: config.store.retention },
  };
  return openPartitionGroup({
    connection,
    group: GROUP,
    topics: [events, points],
    work: async (assigned: AssignedPartition) => {
      await adoptPartition(assigned, { ...engines, group: GROUP });
      const sink =
        assigned.topic === events ? await openEventSink(assigned, engines, scanner) : await openPointSink(assigned, engines);
      await using _closing = sink;
      // Of all members of the group one has this partition.
      const isFirst = assigned.topic === events && assigned.partition === 0;
      await using _aging = isFirst
        ? openTableRetention({ ...aging, keepMs: config.database.event_retention, database: engines.database })
        : null;
      await storePartition(assigned, sink, options);
    },
    onUnreadable: (letter) => deadLetters.put(letter),
  });
}

async function openEventSink(
  { topic, partition }: AssignedPartition,
  engines: Engines,
  scanner: Scanner,
): Promise<PartitionSink & AsyncDisposable> {
  const writer = await openPartitionWriter({
    ...engines.writerOptions({ group: GROUP, topic, partition }),
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
    group: GROUP,
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
