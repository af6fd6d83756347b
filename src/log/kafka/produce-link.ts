import {
  Base,
  NumericMap,
  findErrorBy,
  produceV10,
  produceV11,
  produceV7,
  produceV8,
  produceV9,
  initProducerIdV4,
} from '@platformatic/kafka';
import type { Connection, ResponseError } from '@platformatic/kafka';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KafkaConnection } from './connection.ts';
import { kafkaFailure } from './failure.ts';

export interface OutgoingRecord {
  key?: Buffer;
  value: Buffer;
  headers: Map<Buffer, Buffer>;
}

/** Whom the broker knows an idempotent producer by. */
export interface ProducerIdentity {
  producerId: bigint;
  producerEpoch: number;
}

/** Records of one partition, sent and acknowledged together. */
export interface ProduceBatch {
  topic: string;
  partition: number;
  records: readonly OutgoingRecord[];
  bytes: number;
  producer: ProducerIdentity;
  /** Number of the first record among those of this producer in this partition, modulo 2^31. */
  sequence: number;
}

/**
 * One try to have a batch acknowledged. Beneath the client's own `send`, which starts a new producer identity after some failures
 * and thereby writes twice what was acknowledged to nobody: here a batch keeps identity and sequence through all its tries, and the
 * broker recognises it.
 */
export interface ProduceLink extends AsyncDisposable {
  /** Number of partitions; rejects when the topic is not known. */
  partitionsOf(topic: string): Promise<number>;
  /** The identity that new queues of this process share. */
  producer(): Promise<ProducerIdentity>;
  /** The broker has forgotten the identity: `producer` gives another one from now on. */
  forget(identity: ProducerIdentity): void;
  /** Resolves to the offset of the first record, once every replica in sync has it. Rejects with what the client throws. */
  produce(batch: ProduceBatch): Promise<number>;
}

type ProduceResponse = ReturnType<typeof produceV11.parseResponse>;

const PRODUCE_APIS = [produceV11, produceV10, produceV9, produceV8, produceV7].map(({ api }) => api);
const PRODUCE_KEY = 0;
const ALL_REPLICAS = -1;
/** How long the leader waits for the other replicas, and we for the leader. */
const ACKNOWLEDGE_MS = 5000;
const REQUEST_MS = 10_000;
/** Batches of several partitions travel in one request up to this; larger ones one by one, so that encoding and writing overlap. */
const SHARED_REQUEST_BYTES = 256 * 1024;
const METADATA_TRIES = 2;

interface Waiting {
  batch: ProduceBatch;
  resolve: (offset: number) => void;
  reject: (error: unknown) => void;
}

export function openProduceLink(connection: KafkaConnection): ProduceLink {
  return new Link(connection);
}

class Link implements ProduceLink {
  readonly #client: Base;
  readonly #compression: KafkaConnection['config']['compression'];
  readonly #clock: Clock;
  #api: (typeof PRODUCE_APIS)[number] | null = null;
  #identity: Promise<ProducerIdentity> | null = null;
  readonly #leaders = new Map<string, number[]>();
  readonly #refreshes = new Map<string, Promise<number[]>>();
  /** What is to go to each leader at the end of this turn of the event loop. */
  readonly #gathered = new Map<number, Waiting[]>();
  #isScheduled = false;

  constructor({ clientOptions, config, clock }: KafkaConnection) {
    this.#compression = config.compression;
    this.#clock = clock;
    this.#client = new Base({ ...clientOptions, requestTimeout: REQUEST_MS, maxInflights: 1000 });
  }

  async partitionsOf(topic: string): Promise<number> {
    return (await this.#refresh(topic)).length;
  }

  producer(): Promise<ProducerIdentity> {
    if (!this.#identity) {
      const asked = this.#askIdentity();
      this.#identity = asked;
      asked.catch(() => {
        if (this.#identity === asked) this.#identity = null;
      });
    }
    return this.#identity;
  }

  forget(): void {
    this.#identity = null;
  }

  async produce(batch: ProduceBatch): Promise<number> {
    const leaders = this.#leaders.get(batch.topic) ?? (await this.#refresh(batch.topic));
    const leader = leaders[batch.partition];
    if (leader === undefined || leader < 0) {
      this.#leaders.delete(batch.topic);
      throw new Error(`partition ${batch.partition} of ${batch.topic} has no leader`);
    }
    return new Promise((resolve, reject) => {
      const waiting = { batch, resolve, reject };
      const gathered = this.#gathered.get(leader);
      if (gathered) gathered.push(waiting);
      else this.#gathered.set(leader, [waiting]);
      this.#schedule();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const [leader, gathered] of this.#gathered) void this.#sendAll(leader, gathered);
      this.#gathered.clear();
    });
  }

  async #sendAll(leader: number, gathered: Waiting[]): Promise<void> {
    let connection: Connection;
    try {
      this.#api ??= await this.#chooseApi();
      connection = await this.#connectionTo(leader);
    } catch (error) {
      for (const waiting of gathered) this.#failed(waiting, error);
      return;
    }
    for (let rest = gathered; rest.length > 0;) {
      const count = sharedCount(rest);
      this.#send(connection, rest.slice(0, count));
      rest = rest.slice(count);
    }
  }

  #send(connection: Connection, group: Waiting[]): void {
    const { producer } = (group[0] as Waiting).batch;
    const sequences = new NumericMap();
    // What the topic's retention goes by: the time of sending, however old the events are.
    const timestamp = BigInt(Math.floor(this.#clock.nowMs()));
    const messages = group.flatMap(({ batch: { topic, partition, records, sequence } }) => {
      sequences.set(`${topic}:${partition}`, sequence);
      return records.map((record) => ({ ...record, topic, partition, timestamp }));
    });
    const options = { compression: this.#compression, ...producer, sequences };
    const answered = (error: Error | null, response: ProduceResponse | boolean | undefined): void => {
      if (error) this.#answeredBadly(group, error);
      else this.#answered(group, response as ProduceResponse);
    };
    assert(this.#api, 'the API is chosen before anything is sent');
    this.#api(connection, ALL_REPLICAS, ACKNOWLEDGE_MS, messages, options, answered);
  }

  #answered(group: readonly Waiting[], response: ProduceResponse): void {
    for (const waiting of group) waiting.resolve(Number(answerFor(waiting.batch, response)?.baseOffset ?? -1));
  }

  /** An answer with errors still says which batches were taken. */
  #answeredBadly(group: readonly Waiting[], error: Error): void {
    const { response, errors } = error as Partial<ResponseError> & { response?: ProduceResponse };
    for (const waiting of group) {
      const answer = response && answerFor(waiting.batch, response);
      if (!answer) this.#failed(waiting, error);
      else if (answer.errorCode === 0) waiting.resolve(Number(answer.baseOffset));
      else {
        const own = (errors as Error[]).find((candidate) => (candidate as { apiCode?: number }).apiCode === answer.errorCode);
        this.#failed(waiting, own ?? error);
      }
    }
  }

  #failed({ batch, resolve, reject }: Waiting, error: unknown): void {
    // It has been written by an earlier try; where, the broker no longer knows.
    if (findErrorBy(error as Error, 'apiId', 'DUPLICATE_SEQUENCE_NUMBER')) resolve(-1);
    else {
      const { kind } = kafkaFailure(error);
      if (kind === 'passing' || kind === 'missing') this.#leaders.delete(batch.topic);
      reject(error);
    }
  }

  async #askIdentity(): Promise<ProducerIdentity> {
    this.#api ??= await this.#chooseApi();
    const { brokers } = await this.#client.metadata({ topics: [], retries: METADATA_TRIES });
    const failures: unknown[] = [];
    for (const broker of brokers.values()) {
      try {
        const connection = await this.#client.connections.get(broker);
        // Without a producer's number the client asks for a new one.
        return await initProducerIdV4.api.async(connection, null, REQUEST_MS);
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, 'no broker gives a producer number');
  }

  async #chooseApi(): Promise<(typeof PRODUCE_APIS)[number]> {
    const offered = (await this.#client.listApis()).find(({ apiKey }) => apiKey === PRODUCE_KEY);
    const api = PRODUCE_APIS.find(({ version }) => offered && version >= offered.minVersion && version <= offered.maxVersion);
    if (!api) throw new Error(`the broker's versions of Produce are not known: ${offered?.minVersion} to ${offered?.maxVersion}`);
    return api;
  }

  async #connectionTo(leader: number): Promise<Connection> {
    const broker = this.#client.currentMetadata?.brokers.get(leader);
    if (!broker) throw new Error(`broker ${leader} is not there`);
    return this.#client.connections.get(broker);
  }

  /** Leaders by partition, asked for once however many want to know. */
  #refresh(topic: string): Promise<number[]> {
    const known = this.#refreshes.get(topic);
    if (known) return known;
    const asked = this.#askLeaders(topic).finally(() => this.#refreshes.delete(topic));
    this.#refreshes.set(topic, asked);
    return asked;
  }

  async #askLeaders(topic: string): Promise<number[]> {
    const { topics } = await this.#client.metadata({ topics: [topic], forceUpdate: true, retries: METADATA_TRIES });
    const found = topics.get(topic);
    if (!found) throw new Error(`Unknown topic ${topic}.`);
    const leaders = Array.from({ length: found.partitionsCount }, (_, partition) => found.partitions[partition]?.leader ?? -1);
    this.#leaders.set(topic, leaders);
    return leaders;
  }
}

/** How many of the first batches go into one request: at least one, all of one producer and of different partitions. */
function sharedCount(gathered: readonly Waiting[]): number {
  let bytes = 0;
  const first = (gathered[0] as Waiting).batch.producer;
  for (const [i, { batch }] of gathered.entries()) {
    bytes += batch.bytes;
    if (i > 0 && (bytes > SHARED_REQUEST_BYTES || batch.producer !== first)) return i;
  }
  return gathered.length;
}

function answerFor(
  { topic, partition }: ProduceBatch,
  { responses }: ProduceResponse,
): ProduceResponse['responses'][number]['partitionResponses'][number] | undefined {
  return responses.find(({ name }) => name === topic)?.partitionResponses.find(({ index }) => index === partition);
}
