import { HeliosError } from '../../lib/errors.ts';
import type { LogRecord } from '../../log/event-log.ts';
import { KAFKA_CONSUMER_METRICS } from '../../log/metrics.ts';
import type { AssignedPartition } from '../../log/partition-log.ts';
import type { AlertMessage } from '../../model/alert.ts';
import { claimPartition, readProgress } from '../../store/timescale/progress.ts';
import type { AlertIntake } from './alert-intake.ts';
import { readAlertLines } from './alert-lines.ts';
import type { Engines } from './engines.ts';
import { commitPatiently } from './partition-commits.ts';
import { adoptPartition, seekStored } from './stored-offset.ts';

const READ_BYTES = 1024 * 1024;
const WAIT_MS = 1000;

export interface AlertRecorderOptions {
  engines: Engines;
  intake: AlertIntake;
  group: string;
}

/** Keeps the alerts of one partition of their topic, each with its offset in one transaction, until it is taken away. */
export async function recordAlerts(assigned: AssignedPartition, options: AlertRecorderOptions): Promise<void> {
  const { engines, intake, group } = options;
  const { clock, logger, metrics, prng, database, owner, deadLetters } = engines;
  const { topic, partition, signal, reader } = assigned;
  const key = { group, topic, partition };
  await adoptPartition(assigned, { ...engines, group });
  const { nextOffset: storedOffset, epoch } = await claimPartition(database, key, owner);
  let expectedOffset = storedOffset;
  seekStored(reader, storedOffset, { topic, partition, logger, metrics });

  /** An answer may be lost: what the database says decides. */
  const record = async (messages: readonly AlertMessage[], nextOffset: number): Promise<void> => {
    try {
      await intake.hand({ messages, progress: { ...key, epoch, expectedOffset, nextOffset } }, signal);
    } catch (error) {
      if (!(error instanceof HeliosError) || error.code !== 'conflict') throw error;
      const progress = await database.transaction((session) => readProgress(session, key));
      if (progress?.epoch !== epoch || progress.nextOffset !== nextOffset) throw error;
    }
  };

  while (!signal.aborted) {
    const records = await reader.read(Infinity, READ_BYTES);
    if (records === null) {
      await reader.wait(WAIT_MS);
      continue;
    }
    const messages: AlertMessage[] = [];
    for (const each of records) {
      const read = readAlertLines(each.bytes);
      messages.push(...read.messages);
      for (const { line, reason } of read.bad) {
        await deadLetters.put({ topic, partition, offset: each.position.offset, reason, value: line });
        metrics.add(KAFKA_CONSUMER_METRICS.unreadable, 1, { topic });
        logger.warn('passed an alert that cannot be read', { topic, partition, offset: each.position.offset, reason });
      }
    }
    const nextOffset = (records.at(-1) as LogRecord).position.offset + 1;
    await commitPatiently(() => record(messages, nextOffset), { clock, logger, prng, signal });
    expectedOffset = nextOffset;
    assigned.committed(nextOffset);
  }
}
