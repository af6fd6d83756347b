import type { Logger } from '../../lib/logger.ts';
import type { PartitionReader } from '../../log/partition-log.ts';

export interface PlaceOptions {
  topic: string;
  partition: number;
  logger: Logger;
}

/** Moves the reader to where the database is, and says what is lost when the log no longer goes back that far, or not up to there. */
export function seekStored(reader: PartitionReader, storedOffset: number, { topic, partition, logger }: PlaceOptions): number {
  const at = reader.seek(storedOffset);
  const place = { topic, partition, storedOffset };
  if (at > storedOffset) {
    logger.error('records are lost: the log has removed them before they were stored', {
      ...place,
      from: storedOffset,
      to: at - 1,
    });
  } else if (at < storedOffset) {
    logger.error('the log ends before what is stored of it: was the topic made anew?', { ...place, endOffset: at });
  }
  return at;
}
