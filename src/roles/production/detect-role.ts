import { EntitySpread } from '../../log/kafka/entity-spread.ts';
import { openPartitionGroup } from '../../log/kafka/partition-group.ts';
import { openPartitionReader } from '../../log/kafka/partition-reader.ts';
import type { AssignedPartition, PartitionReader } from '../../log/partition-log.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { openPartitionWriter } from '../../store/timescale/partition-writer.ts';
import { createAlertSender } from './alert-sender.ts';
import { openControlFeed } from './control-feed.ts';
import { detectPartition } from './detect-partition.ts';
import type { Engines } from './engines.ts';
import type { BackgroundRole } from './background-role.ts';
import { createPartialSender } from './partial-sender.ts';
import { PartitionGauges } from './partition-gauges.ts';
import { adoptPartition } from './stored-offset.ts';
import { openTraceJoiner } from './trace-joiner.ts';

const GROUP = 'detectors';

/** Detects in the partitions that this process gets, and joins the traces of others that it gets. */
export async function openDetectRole(engines: Engines): Promise<BackgroundRole> {
  const { config, connection, clock, logger, metrics, producer, deadLetters } = engines;
  const { topic_events: events, topic_metrics: points, topic_anomalies: alerts, topic_control: control } = config.kafka;
  await using opening = new AsyncDisposableStack();
  const feed = opening.use(await openControlFeed(connection, control, logger));
  const scanner = createRotatingScanner({ entities: config.anomaly_detection.max_entities }, () => clock.nowMs());
  const gauges = new PartitionGauges(metrics);
  const map = new EntitySpread(engines.partitions.get(events) as number, config.kafka.hot_services);
  const key = { group: GROUP, topic: events };
  const group = opening.use(
    await openPartitionGroup({
      connection,
      group: key.group,
      topics: [events],
      work: async (assigned) => {
        const { partition } = assigned;
        await adoptPartition(assigned, { ...engines, group: key.group });
        await using writer = await openPartitionWriter({
          ...engines.writerOptions({ ...key, partition }),
          stores: 'state',
          onPoison: (letter) => deadLetters.put(letter),
        });
        await using pointReader = await openPointReader(assigned);
        using _gone = { [Symbol.dispose]: () => gauges.forget(partition) };
        await detectPartition(assigned, {
          engines,
          writer,
          scanner,
          metrics: gauges.of(partition),
          points: pointReader,
          announce: createAlertSender({ producer, topic: alerts, key: `events ${partition}`, clock }),
          tell: createPartialSender({ producer, topic: events, clock }),
          map,
          listen: (onCommand) => feed.listen(onCommand),
        });
      },
      onUnreadable: (letter) => deadLetters.put(letter),
    }),
  );
  const joiner = opening.use(await openTraceJoiner(engines));
  const scope = opening.move();
  return {
    failure: () => group.failure() ?? joiner.failure(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };

  /** Metrics of a service lie in the partition of the same number as its events. */
  async function openPointReader({ partition, signal }: AssignedPartition): Promise<PartitionReader | null> {
    if (partition >= (engines.partitions.get(points) ?? 0)) return null;
    return openPartitionReader({
      connection,
      topic: points,
      partition,
      // The store role writes the letters.
      onUnreadable: () => Promise.resolve(),
      // A broker that is away must not keep a partition that is another's by now.
      signal,
    });
  }
}
