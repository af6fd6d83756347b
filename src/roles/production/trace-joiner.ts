import type { EdgeCollector } from '../../detect/edge-collector.ts';
import { createEdgeCollector } from '../../detect/edge-collector.ts';
import type { LogRecord } from '../../log/event-log.ts';
import type { AssignedPartition, PartitionGroup } from '../../log/partition-log.ts';
import { openPartitionGroup } from '../../log/kafka/partition-group.ts';
import { HeliosError } from '../../lib/errors.ts';
import { edgeKey } from '../../model/alert.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { Scanner } from '../../model/scanner.ts';
import type { PartitionWriter } from '../../store/timescale/partition-writer.ts';
import { openPartitionWriter } from '../../store/timescale/partition-writer.ts';
import type { StoreUpdate } from '../../store/store.ts';
import { CLOCK_TOLERANCE_MS } from '../pipeline.ts';
import { createAlertSender } from './alert-sender.ts';
import type { Engines } from './engines.ts';
import { commitPatiently } from './partition-commits.ts';
import { adoptPartition, seekStored } from './stored-offset.ts';

const GROUP = 'trace-joiners';
const READ_BYTES = 4 * 1024 * 1024;
const WAIT_MS = 500;
const NOTHING: StoreUpdate = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };

function restore(collector: EdgeCollector, writer: PartitionWriter, { logger }: Engines): number {
  const checkpoint = writer.checkpoint();
  if (!checkpoint) return 0;
  try {
    collector.restore(checkpoint.payload);
    return checkpoint.offset;
  } catch (error) {
    if (!(error instanceof HeliosError) || error.code !== 'corrupt_data') throw error;
    logger.warn('calls between services are joined anew from the log', { reason: error.message });
    return 0;
  }
}

/** Joins the traces of one partition until it is taken away; what is told again after a crash means the same. */
async function joinTraces(
  assigned: AssignedPartition,
  engines: Engines,
  scanner: Scanner,
  writer: PartitionWriter,
): Promise<void> {
  const { config, clock, logger, prng, producer } = engines;
  const { topic, partition, signal, reader } = assigned;
  const collector = createEdgeCollector(partition);
  const tell = createAlertSender({ producer, topic: config.kafka.topic_anomalies, key: `traces ${partition}`, clock });
  let nextOffset = seekStored(reader, restore(collector, writer, engines), {
    topic,
    partition,
    logger,
    metrics: engines.metrics,
  });
  let storedOffset = writer.offset();
  let committedMs = clock.monotonicMs();

  const observe = (record: LogRecord): void => {
    const isLive = config.clock === 'wall';
    if (record.count === 0 && record.parts === undefined && !isLive) collector.advanceTo(record.maxTimestampMs);
    const { bytes } = writer.filterParts(record);
    const { batch } = scanner.scan(bytes, NO_LIMITS);
    collector.observe(batch, isLive ? record.receivedAtMs + CLOCK_TOLERANCE_MS : Infinity);
    nextOffset = record.position.offset + 1;
  };
  const send = async (): Promise<void> => {
    const { edges, alerts } = collector.take();
    await tell(alerts);
    const sends = edges.map((edge) =>
      producer.send(config.kafka.topic_edges, { key: edgeKey(edge), value: Buffer.from(JSON.stringify(edge)) }),
    );
    await Promise.all(sends);
  };
  const commit = async (): Promise<void> => {
    if (nextOffset <= storedOffset) return;
    const update = { ...NOTHING, checkpoint: collector.snapshot() };
    await commitPatiently(() => writer.commit(update, nextOffset), { clock, logger, prng, signal });
    storedOffset = nextOffset;
    committedMs = clock.monotonicMs();
    assigned.committed(nextOffset);
  };

  while (!signal.aborted) {
    const records = await reader.read(Infinity, READ_BYTES);
    for (const record of records ?? []) observe(record);
    await send();
    if (clock.monotonicMs() - committedMs >= config.store.checkpoint_interval) await commit();
    if (records === null) await reader.wait(WAIT_MS);
  }
  await commit();
}

/** Learns who calls whom from the traces that this process gets. */
export async function openTraceJoiner(engines: Engines): Promise<PartitionGroup> {
  const { config, connection, clock, deadLetters } = engines;
  const scanner = createRotatingScanner({ entities: config.anomaly_detection.max_entities }, () => clock.nowMs());
  const key = { group: GROUP, topic: config.kafka.topic_traces };
  return openPartitionGroup({
    connection,
    group: key.group,
    topics: [key.topic],
    work: async (assigned) => {
      await adoptPartition(assigned, { ...engines, group: key.group });
      await using writer = await openPartitionWriter({
        ...engines.writerOptions({ ...key, partition: assigned.partition }),
        stores: 'state',
        onPoison: (letter) => deadLetters.put(letter),
      });
      await joinTraces(assigned, engines, scanner, writer);
    },
    onUnreadable: (letter) => deadLetters.put(letter),
  });
}
