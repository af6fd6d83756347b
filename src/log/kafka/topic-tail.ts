import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KafkaConnection } from './connection.ts';
import type { FetchedRecord } from './fetch-client.ts';
import { shareFetchPool } from './fetch-pool.ts';
import type { FetchPartition } from './fetch-partition.ts';

export interface TopicRecord {
  topic: string;
  partition: number;
  offset: number;
  /** When it was produced. */
  timestampMs: number;
  key: Uint8Array | null;
  /** Empty when the record has none: in a compacted topic its key is deleted. */
  value: Uint8Array;
  headers: ReadonlyMap<string, Uint8Array>;
}

export interface TopicTailOptions {
  connection: KafkaConnection;
  topic: string;
  /** Called in the order of each partition; the next record waits for it. One that throws is called again with the same record. */
  onMessage: (record: TopicRecord) => void | Promise<void>;
  /** From the first kept record, or only what comes from now on. */
  fromStart: boolean;
}

export interface TopicTail extends AsyncDisposable {
  /** Resolves when everything that was there at the opening has been given; rejects when the tail is closed before. */
  caughtUp: Promise<void>;
  /** Why it does not go on at the moment, or null. */
  failure(): Error | null;
}

const IDLE_MS = 1000;
const BACKOFF = { firstMs: 100, longestMs: 5000 };

/** Every partition of a topic, without a group. Resolves when the topic's bounds are known, however long the broker takes. */
export async function openTopicTail({ connection, topic, onMessage, fromStart }: TopicTailOptions): Promise<TopicTail> {
  const { clock, logger, prng } = connection;
  const stop = new AbortController();
  await using opening = new AsyncDisposableStack();
  const pool = opening.use(shareFetchPool(connection));
  const count = await connection.persist(`read the topic ${topic}`, async () => {
    const metadata = await connection.admin.metadata({ topics: [topic], forceUpdate: true });
    return metadata.topics.get(topic)!.partitionsCount;
  });
  const partitions = await Promise.all(Array.from({ length: count }, (_, partition) => pool.open(topic, partition)));

  const give = async (fetched: FetchPartition, record: FetchedRecord): Promise<void> => {
    const backoff = new Backoff(BACKOFF, prng);
    for (;;) {
      try {
        await onMessage(recordOf(fetched, record));
        return;
      } catch (error) {
        logger.error(`cannot take a record of ${topic}: ${(error as Error).message}`, { offset: record.offset });
        await clock.sleep(backoff.nextMs(), stop.signal);
      }
    }
  };

  /** A topic that was made anew is followed from its start. */
  const reopen = async (broken: FetchPartition): Promise<FetchPartition> => {
    pool.close(broken);
    const opened = await pool.open(topic, broken.partition, stop.signal);
    partitions[broken.partition] = opened;
    opened.seek(opened.firstOffset);
    logger.error(`${topic} was deleted and made anew: it is followed from its start`, { partition: broken.partition });
    return opened;
  };

  const follow = async (first: FetchPartition, caughtUp: () => void): Promise<void> => {
    let fetched = first;
    const end = fetched.endOffset;
    fetched.seek(fromStart ? fetched.firstOffset : end);
    while (!stop.signal.aborted) {
      if (fetched.broken) fetched = await reopen(fetched);
      if (fetched.position! >= end) caughtUp();
      const record = fetched.peek();
      if (!record) await arrivalOf(fetched, clock);
      else {
        if (record.damage === '') await give(fetched, record);
        else logger.error(`left out a record of ${topic}: ${record.damage}`, { offset: record.offset });
        fetched.take();
      }
    }
  };

  const reached = partitions.map((fetched) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const followed = follow(fetched, resolve).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    return { promise, followed: followed.finally(() => reject(new Error(`the tail of ${topic} was closed`))) };
  });
  const caughtUp = Promise.all(reached.map(({ promise }) => promise)).then(() => undefined);
  caughtUp.catch(() => undefined);

  const closing = opening.move();
  closing.defer(async () => {
    stop.abort();
    for (const fetched of partitions) pool.close(fetched);
    await Promise.all(reached.map(({ followed }) => followed));
  });
  return {
    caughtUp,
    failure: () => partitions.find(({ failure }) => failure)?.failure ?? null,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** A batch that compaction has emptied moves the position without bringing a record, so waiting is bounded. */
async function arrivalOf(fetched: FetchPartition, clock: Clock): Promise<void> {
  const arrival = fetched.arrival();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopTimer = clock.after(IDLE_MS, resolve);
  await Promise.race([arrival.promise, promise]);
  stopTimer();
  arrival.forget();
}

function recordOf(
  { topic, partition }: FetchPartition,
  { offset, timestampMs, key, value, headers }: FetchedRecord,
): TopicRecord {
  return {
    topic,
    partition,
    offset,
    timestampMs,
    key,
    value: value ?? new Uint8Array(0),
    headers: new Map(headers.map(([name, text]) => [name?.toString() ?? '', text ?? new Uint8Array(0)])),
  };
}
