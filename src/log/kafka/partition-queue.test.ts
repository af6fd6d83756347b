import assert from 'node:assert/strict';
import test from 'node:test';
import { MultipleErrors, NetworkError, ProtocolError } from '@platformatic/kafka';
import { ManualClock } from '../../lib/clock.ts';
import type { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import { countingMetrics } from './kafka.fixture.ts';
import { KAFKA_METRICS } from '../metrics.ts';
import type { KafkaFailure } from './failure.ts';
import { PartitionQueue, type QueuedRecord } from './partition-queue.ts';
import type { ProduceBatch, ProduceLink, ProducerIdentity } from './produce-link.ts';

const TURNS = 200;

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

/** A broker that answers what it is told to, and otherwise takes what comes, knowing a batch that it has already. */
class FakeLink implements ProduceLink {
  readonly stored: string[] = [];
  readonly tries: { values: string[]; producerId: bigint; sequence: number }[] = [];
  /** For the next tries: an error, after the batch has been stored or not. */
  readonly failures: { error: Error; isStored?: boolean }[] = [];
  maxBytes = Infinity;
  underWay = 0;
  #ids = 0n;
  #identity: ProducerIdentity | null = null;
  readonly #known = new Map<string, number>();

  partitionsOf(): Promise<number> {
    return Promise.resolve(1);
  }

  producer(): Promise<ProducerIdentity> {
    this.#identity ??= { producerId: ++this.#ids, producerEpoch: 0 };
    return Promise.resolve(this.#identity);
  }

  forget(): void {
    this.#identity = null;
  }

  async produce({ records, bytes, producer, sequence }: ProduceBatch): Promise<number> {
    assert.equal(this.underWay++, 0, 'one batch at a time');
    await Promise.resolve();
    this.underWay--;
    const values = records.map(({ value }) => value.toString());
    this.tries.push({ values, producerId: producer.producerId, sequence });
    const failure = this.failures.shift();
    if (failure && !failure.isStored) throw failure.error;
    if (bytes > this.maxBytes) throw new ProtocolError('MESSAGE_TOO_LARGE');
    const identity = `${producer.producerId}:${sequence}`;
    const offset = this.#known.get(identity) ?? this.stored.length;
    if (!this.#known.has(identity)) this.stored.push(...values);
    this.#known.set(identity, offset);
    if (failure) throw failure.error;
    return offset;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class Item implements QueuedRecord {
  readonly events = 1;
  readonly bytes: number;
  offset: number | null = null;
  error: HeliosError | null = null;
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    this.bytes = value.length;
  }

  encode(): ReturnType<QueuedRecord['encode']> {
    return { value: Buffer.from(this.#value), headers: new Map() };
  }

  acknowledged(offset: number): void {
    this.offset = offset;
  }

  refused(error: HeliosError): void {
    this.error = error;
  }

  split(): QueuedRecord[] | null {
    if (this.#value.length < 2) return null;
    const middle = this.#value.length >> 1;
    return [this.#value.slice(0, middle), this.#value.slice(middle)].map((half) => new Item(half));
  }
}

interface Opened {
  link: FakeLink;
  queue: PartitionQueue;
  clock: ManualClock;
  outcomes: (KafkaFailure | null)[];
  totals: Map<string, number>;
  closing: AbortController;
  send: (...values: string[]) => Item[];
}

function openQueue(maxSendBytes = 100): Opened {
  const link = new FakeLink();
  const clock = new ManualClock();
  const outcomes: (KafkaFailure | null)[] = [];
  const { metrics, totals } = countingMetrics();
  const closing = new AbortController();
  const queue = new PartitionQueue({
    topic: 't',
    partition: 0,
    link,
    maxSendBytes,
    feed: () => null,
    onOutcome: (outcome) => outcomes.push(outcome),
    clock,
    prng: createPrng(1),
    logger: silentLogger,
    metrics,
    closing: closing.signal,
  });
  const send = (...values: string[]): Item[] => {
    const items = values.map((value) => new Item(value));
    for (const item of items) queue.push(item);
    queue.start();
    return items;
  };
  return { link, queue, clock, outcomes, totals, closing, send };
}

const lost = (): Error => new NetworkError('Connection closed');

test('records are sent in order, as many at once as there is room for', async () => {
  const { link, send } = openQueue(6);
  const items = send('aa', 'bb', 'cc', 'dd');
  await settle();
  assert.deepEqual(
    link.tries.map(({ values, sequence }) => [values.join(' '), sequence]),
    [
      ['aa bb cc', 0],
      ['dd', 3],
    ],
  );
  assert.deepEqual(
    items.map(({ offset }) => offset),
    [0, 1, 2, 3],
  );
});

test('a batch whose answer was lost is sent again as the same batch, and stored once', async () => {
  const { link, send, clock, totals, outcomes } = openQueue();
  link.failures.push({ error: lost(), isStored: true }, { error: new MultipleErrors('all', [lost(), lost()]) });
  const items = send('a', 'b');
  await settle();
  const [later] = send('c');
  clock.advance(10_000);
  await settle();
  clock.advance(10_000);
  await settle();
  assert.deepEqual(link.stored, ['a', 'b', 'c']);
  assert.deepEqual(
    link.tries.map(({ sequence, producerId }) => [sequence, producerId]),
    [
      [0, 1n],
      [0, 1n],
      [0, 1n],
      [2, 1n],
    ],
  );
  assert.deepEqual([items[0]?.offset, items[1]?.offset, later?.offset], [0, 1, 2]);
  assert.equal(totals.get(KAFKA_METRICS.retries.name), 2);
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.kind ?? null),
    ['passing', 'passing', null, null],
  );
});

test('a queue goes on for as long as the broker is away', async () => {
  const { link, send, clock } = openQueue();
  for (let i = 0; i < 100; i++) link.failures.push({ error: lost() });
  const [item] = send('a');
  for (let i = 0; i < 100; i++) {
    await settle();
    clock.advance(5000);
  }
  await settle();
  assert.deepEqual([item?.offset, link.tries.length], [0, 101]);
});

test('a producer that the broker has forgotten goes on as a new one', async () => {
  const { link, send, clock } = openQueue();
  const [first] = send('a');
  await settle();
  link.failures.push({ error: new ProtocolError('OUT_OF_ORDER_SEQUENCE_NUMBER') });
  const [second] = send('b');
  await settle();
  clock.advance(1000);
  await settle();
  assert.deepEqual([first?.offset, second?.offset], [0, 1]);
  assert.deepEqual(link.tries.at(-1), { values: ['b'], producerId: 2n, sequence: 0 });
});

test('what is too large is cut until the broker takes it; what cannot be cut is refused alone', async () => {
  const { link, send } = openQueue();
  link.maxBytes = 3;
  const items = send('ab', 'cdefghij', 'k');
  await settle();
  assert.equal(link.stored.join(''), 'abcdefghijk');
  assert.ok(link.stored.every((value) => value.length <= 3));
  assert.deepEqual(
    items.map(({ error }) => error),
    [null, null, null],
  );
  link.maxBytes = 0;
  const [refused] = send('x');
  await settle();
  assert.equal(refused?.error?.code, 'too_large');
  link.maxBytes = 3;
  const [after] = send('y');
  await settle();
  assert.notEqual(after?.offset, null);
});

test('a record that the broker rejects is refused, and those around it are stored', async () => {
  const { link, send } = openQueue();
  const rejection = { error: new ProtocolError('INVALID_RECORD', 'not this one') };
  link.failures.push(rejection, rejection);
  const items = send('a', 'b', 'c');
  await settle();
  assert.deepEqual(link.stored, ['b', 'c']);
  assert.match(items[0]?.error?.message ?? '', /INVALID_RECORD \(not this one\)/);
});

test('closing ends the waiting', async () => {
  const { link, send, queue, closing, clock } = openQueue();
  link.failures.push({ error: lost() });
  const [item] = send('a');
  await settle();
  assert.equal(queue.isRunning, true);
  closing.abort();
  clock.advance(10_000);
  await queue.drained();
  assert.deepEqual([item?.offset, link.stored.length], [null, 0]);
});
