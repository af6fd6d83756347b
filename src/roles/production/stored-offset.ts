import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { KAFKA_CONSUMER_METRICS } from '../../log/metrics.ts';
import type { AssignedPartition, PartitionReader } from '../../log/partition-log.ts';
import type { Database } from '../../store/timescale/database.ts';
import { adoptLog } from '../../store/timescale/progress.ts';

export interface PlaceOptions {
  topic: string;
  partition: number;
  logger: Logger;
  metrics: Metrics;
}

export interface AdoptOptions {
  group: string;
  database: Database;
  owner: string;
  logger: Logger;
}

/**
 * Before a partition's offset is read from the database: when its topic was deleted and made anew, the stored offset is of the old one, and
 * is set to the new one's start; when the log has lost its end, to where it ends now. Both are said.
 */
export async function adoptPartition({ topic, partition, reader }: AssignedPartition, options: AdoptOptions): Promise<void> {
  const { group, database, owner, logger } = options;
  const log = { id: reader.logId(), endOffset: reader.endOffset() };
  const outcome = await adoptLog(database, { group, topic, partition }, owner, log);
  if (outcome.state === 'same') return;
  const { state, storedOffset, nextOffset } = outcome;
  const place = { group, topic, partition, storedOffset, nextOffset };
  if (state === 'anew')
    logger.error('the topic was deleted and made anew: it is read from its start, what is stored stays', place);
  else
    logger.error('the log has lost its end, records that are stored already: going on with what is written from now on', place);
}

/** Moves the reader to where the database is, and says and counts what is lost when the log no longer goes back that far. */
export function seekStored(
  reader: Pick<PartitionReader, 'seek'>,
  storedOffset: number,
  { topic, partition, logger, metrics }: PlaceOptions,
): number {
  const at = reader.seek(storedOffset);
  if (at <= storedOffset) return at;
  const lost = { topic, partition, from: storedOffset, to: at - 1 };
  logger.error('records are lost: the log has removed them before they were read', lost);
  metrics.add(KAFKA_CONSUMER_METRICS.lostRecords, at - storedOffset, { topic });
  return at;
}
