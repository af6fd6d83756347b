import type { BaseOptions, RecordsBatch } from '@platformatic/kafka';
import { Consumer } from '@platformatic/kafka';

/** A record as it came, before anyone has looked into its value. */
export interface FetchedRecord {
  offset: number;
  timestampMs: number;
  /** When the broker took it, by the broker's clock; null where the topic keeps the sender's time instead. */
  appendedMs: number | null;
  key: Buffer | null;
  value: Buffer | null;
  headers: readonly (readonly [Buffer | null, Buffer | null])[];
  /** Why not even these can be told, or "": then the rest is empty. */
  damage: string;
}

export interface FetchRequest {
  topic: string;
  topicId: string;
  partition: number;
  offset: number;
  maxBytes: number;
}

export interface FetchedPartition {
  topic: string;
  partition: number;
  /** Error code of the protocol; 0 for none. */
  errorCode: number;
  /** First offset kept and the next to be written, or -1 where the broker does not say. */
  firstOffset: number;
  endOffset: number;
  records: FetchedRecord[];
  /** Where to fetch next: behind the last batch, which also passes what compaction has taken out of it. */
  nextOffset: number;
  /** Bytes of keys, values and headers. */
  bytes: number;
}

export interface OffsetRange {
  /** Kafka's own: a topic that was deleted and made anew has another one. */
  topicId: string;
  firstOffset: number;
  endOffset: number;
}

/** Bytes of one answer before decompression; a broker always gives at least one whole batch. */
const MAX_RESPONSE_BYTES = 8_000_000;
/** A broker that holds an answer longer than the longest poll is as good as gone. */
const REQUEST_TIMEOUT_MS = 10_000;
const EARLIEST = -2n;
const LATEST = -1n;
const CONTROL_BATCH = 0b10_0000;
const APPEND_TIME = 0b1000;
const NO_EPOCH = -1;

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

/** Fetch requests, offsets and leaders over connections of their own: a request that waits for records blocks those behind it. */
export class FetchClient {
  readonly #consumer: Consumer;

  constructor(options: BaseOptions) {
    // Every failure is told at once: whoever calls decides what to try again and when.
    this.#consumer = new Consumer({
      ...options,
      groupId: 'none',
      autocommit: false,
      retries: 0,
      requestTimeout: REQUEST_TIMEOUT_MS,
    });
  }

  /** Node id of each partition's leader, -1 where there is none now. Rejects for a topic that does not exist. */
  async leaders(topic: string): Promise<{ topicId: string; leaders: number[] }> {
    const metadata = await this.#consumer.metadata({ topics: [topic], forceUpdate: true });
    if (!this.#consumer.topics.has(topic)) this.#consumer.topics.track(topic);
    const { id, partitions } = metadata.topics.get(topic)!;
    return { topicId: id, leaders: partitions.map((partition) => partition.leader) };
  }

  /** Stops asking for a topic's metadata: one that is gone would fail the requests for all others. */
  forget(topic: string): void {
    this.#consumer.topics.untrack(topic);
  }

  async range(topic: string, partition: number): Promise<OffsetRange> {
    const of = async (timestamp: bigint): Promise<number> => {
      const offsets = await this.#consumer.listOffsets({ topics: [topic], partitions: { [topic]: [partition] }, timestamp });
      return Number(offsets.get(topic)![partition]);
    };
    const metadata = await this.#consumer.metadata({ topics: [topic], forceUpdate: true });
    const topicId = metadata.topics.get(topic)!.id;
    const firstOffset = await of(EARLIEST);
    return { topicId, firstOffset, endOffset: await of(LATEST) };
  }

  /**
   * One request to one broker, for partitions that it leads; answers at once when there are records, else after `maxWaitMs`.
   * A partition with nothing new may be missing from the answer.
   */
  async fetch(node: number, requests: readonly FetchRequest[], maxWaitMs: number): Promise<FetchedPartition[]> {
    // By the ids that the partitions were opened with: offsets of a topic mean nothing in another one of its name.
    const nameOf = new Map(requests.map(({ topic, topicId }) => [topicId, topic]));
    await this.#consumer.metadata({ topics: [...new Set(nameOf.values())] });
    const topics = [...nameOf.keys()].map((topicId) => ({
      topicId,
      partitions: requests
        .filter((request) => request.topicId === topicId)
        .map((request) => ({
          partition: request.partition,
          fetchOffset: BigInt(request.offset),
          partitionMaxBytes: request.maxBytes,
          currentLeaderEpoch: NO_EPOCH,
          lastFetchedEpoch: NO_EPOCH,
        })),
    }));
    const response = await this.#consumer
      .fetch({ node, topics, maxWaitTime: maxWaitMs, minBytes: 1, maxBytes: MAX_RESPONSE_BYTES })
      .catch((error: unknown) => errorsOnly(error));
    return response.responses.flatMap((topic) =>
      topic.partitions.map((answer) => {
        const name = nameOf.get(topic.topicId) ?? '';
        const request = requests.find((request) => request.topic === name && request.partition === answer.partitionIndex);
        return fetchedPartition(name, answer, request?.offset ?? 0);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#consumer.close(true);
  }
}

/**
 * The client throws when any partition has an error, and has then not taken aborted transactions out of the others: of such an
 * answer only the errors count.
 */
function errorsOnly(error: unknown): FetchResponse {
  const { response } = error as { response?: FetchResponse };
  if (!response || response.errorCode !== 0) throw error;
  for (const topic of response.responses) {
    topic.partitions = topic.partitions.filter((partition) => partition.errorCode !== 0);
  }
  return response;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

function fetchedPartition(topic: string, answer: PartitionAnswer, fromOffset: number): FetchedPartition {
  const fetched: FetchedPartition = {
    topic,
    partition: answer.partitionIndex,
    errorCode: answer.errorCode,
    firstOffset: Number(answer.logStartOffset),
    endOffset: Number(answer.lastStableOffset >= 0n ? answer.lastStableOffset : answer.highWatermark),
    records: [],
    nextOffset: fromOffset,
    bytes: 0,
  };
  for (const batch of answer.records ?? []) addBatch(fetched, batch, fromOffset);
  return fetched;
}

/** A batch comes whole, also when the fetch began in its middle. */
function addBatch(fetched: FetchedPartition, batch: RecordsBatch, fromOffset: number): void {
  const first = Number(batch.firstOffset);
  const appendedMs = (batch.attributes & APPEND_TIME) === 0 ? null : Number(batch.maxTimestamp);
  fetched.nextOffset = Math.max(fetched.nextOffset, first + batch.lastOffsetDelta + 1);
  if ((batch.attributes & CONTROL_BATCH) !== 0) return;
  for (const record of batch.records) {
    const offset = first + record.offsetDelta;
    if (offset < fromOffset) continue;
    fetched.records.push({
      offset,
      timestampMs: appendedMs ?? Number(batch.firstTimestamp + record.timestampDelta),
      appendedMs,
      key: record.key,
      value: record.value,
      headers: record.headers,
      damage: '',
    });
    fetched.bytes += record.length;
  }
}
