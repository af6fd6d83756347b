import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import type { AssignedPartition } from '../../log/partition-log.ts';
import type { LogRecord } from '../../log/event-log.ts';
import { PIPELINE_EVENTS } from '../metrics.ts';
import { commitPatiently } from './partition-commits.ts';
import { PartitionRetention } from './retention.ts';
import type { RetentionOptions } from './retention.ts';
import { seekStored } from './stored-offset.ts';

/** Read at once; the rest waits in the reader, which is bounded. */
const READ_BYTES = 4 * 1024 * 1024;

/** What a partition's records are stored by. */
export interface PartitionSink {
  offset(): number;
  /** Adds a record; its bytes are not kept. Returns the number of events or points. */
  take(record: LogRecord): number;
  isFull(): boolean;
  commit(nextOffset: number): Promise<void>;
  /** Removes what was derived from data before that time. */
  retain(beforeMs: number): Promise<void>;
}

export interface PartitionStoreOptions {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  prng: Prng;
  commitIntervalMs: number;
  retention: RetentionOptions;
}

/**
 * Stores the records of one partition until it is taken away: what has been read is committed with its offset, in batches by size
 * and time. Rejects with `conflict` when another process has the partition; nothing of this one is stored from then on.
 */
export async function storePartition(
  assigned: AssignedPartition,
  sink: PartitionSink,
  options: PartitionStoreOptions,
): Promise<void> {
  const { signal, reader, topic, partition } = assigned;
  const { clock, logger, metrics, prng, commitIntervalMs } = options;
  let nextOffset = seekStored(reader, sink.offset(), { topic, partition, logger, metrics });
  const retention = new PartitionRetention(options.retention, { topic, partition }, (beforeMs) => sink.retain(beforeMs));
  let isDirty = false;
  let lastCommitMs = clock.monotonicMs();
  const commit = async (): Promise<void> => {
    if (isDirty) await commitPatiently(() => sink.commit(nextOffset), { clock, logger, prng, signal });
    isDirty = false;
    lastCommitMs = clock.monotonicMs();
    assigned.committed(nextOffset);
  };
  while (!signal.aborted) {
    const records = await reader.read(Infinity, READ_BYTES);
    for (const record of records ?? []) {
      metrics.add(PIPELINE_EVENTS, sink.take(record));
      nextOffset = record.position.offset + 1;
      isDirty = true;
      if (sink.isFull()) await commit();
    }
    const dueMs = lastCommitMs + commitIntervalMs - clock.monotonicMs();
    if (isDirty && dueMs <= 0) await commit();
    if (!isDirty && retention.isDue()) await retention.run();
    if (records === null) await reader.wait(isDirty ? Math.max(1, dueMs) : commitIntervalMs);
  }
  await commit();
}
