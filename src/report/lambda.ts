import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { LambdaConfig } from './lambda/config.ts';
import type { PartitionBatch } from './lambda/kafka-event.ts';
import { isScheduleEvent, readKafkaEvent } from './lambda/kafka-event.ts';

/** Where the records of a partition could not be kept any further. */
export interface BatchStop {
  /** As the mapping calls the partition. */
  name: string;
  /** The first that is not kept; all before it are. */
  offset: number;
  reason: string;
}

/** The reporter as an invocation uses it; the same call made again with the same records changes nothing. */
export interface InvokedReporter {
  /** Keeps what the records say; answers where that stopped, by partition, nothing for those that are kept whole. */
  keep(batches: readonly PartitionBatch[]): Promise<BatchStop[]>;
  /** Makes incidents of what is due, then writes reports until none is due or time is over. Rejects when the incidents cannot be made. */
  work(isOver: () => boolean): Promise<{ alerts: number; reports: number }>;
}

/** What AWS Lambda gives every invocation, as far as it is used here. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** AWS Lambda Developer Guide, "Configuring error handling controls for Kafka event sources", partial batch response. */
export interface KafkaBatchResponse {
  batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[];
}

export interface LambdaHandlerOptions {
  config: LambdaConfig;
  /** Called when there is none yet or the last call failed; what it resolves to serves all later invocations of this environment. */
  open: () => Promise<InvokedReporter>;
  clock: Clock;
  logger: Logger;
}

export type LambdaHandler = (event: unknown, context: LambdaContext) => Promise<KafkaBatchResponse>;

/** Opens once, and again after a failure; a failure of nobody's call is kept for the first. */
function openOnce(open: () => Promise<InvokedReporter>): () => Promise<InvokedReporter> {
  let opened: Promise<InvokedReporter> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/**
 * Of each partition the first offset that failed: the mapping goes on there. Where nothing at all is kept, or the mapping does not read such
 * answers, the invocation fails, which the mapping repeats whole and AWS counts as an error.
 */
function answerOf(batches: readonly PartitionBatch[], stops: readonly BatchStop[], config: LambdaConfig): KafkaBatchResponse {
  const isNothingKept = batches.every(({ name, records }) =>
    stops.some((stop) => stop.name === name && stop.offset === records[0]?.offset),
  );
  const [first] = stops;
  if (first && (isNothingKept || !config.partial_batches))
    throw new HeliosError('unavailable', `cannot keep ${first.name} from offset ${first.offset} on: ${first.reason}`);
  return { batchItemFailures: stops.map(({ name, offset }) => ({ itemIdentifier: { partition: name, offset } })) };
}

/** All from their start, so that the mapping brings them again: what they hold is known then, and only the rest is done. */
function stopAll(batches: readonly PartitionBatch[], error: unknown): BatchStop[] {
  return batches.map(({ name, records }) => ({ name, offset: records[0]?.offset ?? 0, reason: (error as Error).message }));
}

/**
 * The reporter behind an event source mapping on the topic of alerts, or a schedule: alerts are kept, incidents made, and the reports that
 * are due written, in this order. Offsets are the mapping's; whatever it brings twice is known to the database. Rejects with `invalid_argument`
 * for an event of another kind.
 */
export function createLambdaHandler({ config, open, clock, logger }: LambdaHandlerOptions): LambdaHandler {
  const reporter = openOnce(open);
  // Connecting belongs to the start of the environment; who needs it hears why it failed.
  reporter().catch(() => undefined);
  return async (event, context) => {
    const startMs = clock.monotonicMs();
    const batches = readKafkaEvent(event);
    if (batches === null && !isScheduleEvent(event))
      throw new HeliosError('invalid_argument', 'cannot take this event: it is neither of Kafka nor of a schedule');
    // After a pause of this environment timers are due that close connections nobody has used for long; they run first.
    await clock.sleep(0);
    const opened = await reporter();
    const isOver = (): boolean => context.getRemainingTimeInMillis() < config.reserve;
    if (isOver()) logger.warn('there is no time for reports: give the function a longer timeout, or a shorter lambda.reserve');
    const kept = batches ?? [];
    const stops = await opened.keep(kept);
    let done = { alerts: 0, reports: 0 };
    try {
      done = await opened.work(isOver);
    } catch (error) {
      if (batches === null) throw error;
      logger.error('alerts are kept, incidents are not made of them yet', { reason: (error as Error).message });
      return answerOf(kept, stopAll(kept, error), config);
    }
    const records = kept.reduce((sum, batch) => sum + batch.records.length, 0);
    const ms = Math.round(clock.monotonicMs() - startMs);
    logger.info('invocation done', { partitions: kept.length, records, stopped: stops.length, ...done, ms });
    return answerOf(kept, stops, config);
  };
}
