import assert from 'node:assert/strict';
import test from 'node:test';
import { Backoff } from '../../lib/backoff.ts';
import { createPrng } from '../../lib/prng.ts';
import type { FetchedPartition } from './fetch-client.ts';
import { FetchPartition } from './fetch-partition.ts';

function open(onRoom = (): void => undefined): FetchPartition {
  const backoff = new Backoff({ firstMs: 1, longestMs: 1 }, createPrng(1));
  return new FetchPartition('events', 0, { topicId: 'id', firstOffset: 0, endOffset: 100 }, backoff, onRoom);
}

/** An answer of the records at these offsets. */
function answer(offsets: readonly number[], nextOffset = offsets.at(-1)! + 1, bytes = 10): FetchedPartition {
  const value = Buffer.alloc(bytes);
  const records = offsets.map((offset) => ({
    offset,
    timestampMs: 0,
    appendedMs: null,
    key: null,
    value,
    headers: [],
    damage: '',
  }));
  return { topic: 'events', partition: 0, errorCode: 0, firstOffset: 0, endOffset: 100, records, nextOffset, bytes };
}

function drain(fetched: FetchPartition): number[] {
  const offsets: number[] = [];
  for (let next = fetched.peek(); next; next = fetched.peek()) {
    offsets.push(next.offset);
    fetched.take();
  }
  return offsets;
}

test('nothing is fetched before someone has said from where', () => {
  const fetched = open();
  assert.deepEqual([fetched.nextOffset, fetched.position], [null, null]);
  fetched.seek(7);
  assert.deepEqual([fetched.nextOffset, fetched.position], [7, 7]);
});

test('a batch that compaction has emptied moves on without a record', () => {
  const fetched = open();
  fetched.seek(0);
  fetched.accept(answer([], 5), 0);
  fetched.accept(answer([5, 9], 12), 5);
  assert.deepEqual(drain(fetched), [5, 9]);
  assert.equal(fetched.position, 12);
});

test('an answer that was asked for before a seek is left out', () => {
  const fetched = open();
  fetched.seek(0);
  fetched.seek(50);
  fetched.accept(answer([0, 1]), 0);
  assert.equal(fetched.peek(), undefined);
  fetched.accept(answer([50]), 50);
  assert.deepEqual(drain(fetched), [50]);
});

test('a seek within what is buffered keeps it, any other begins anew', () => {
  const fetched = open();
  fetched.seek(0);
  fetched.accept(answer([0, 1, 2, 3, 4]), 0);
  fetched.seek(3);
  assert.deepEqual([fetched.position, fetched.nextOffset], [3, 5]);
  fetched.seek(5);
  assert.deepEqual([fetched.position, fetched.nextOffset], [5, 5]);
  fetched.accept(answer([5, 6]), 5);
  fetched.seek(2);
  assert.deepEqual([fetched.position, fetched.nextOffset, fetched.peek()], [2, 2, undefined]);
});

test('a full buffer has no room, and says so when it has again', () => {
  let told = 0;
  const fetched = open(() => told++);
  fetched.seek(0);
  fetched.accept(answer([0, 1, 2, 3, 4], 5, 1_000_000), 0);
  assert.equal(fetched.hasRoom, false);
  told = 0;
  fetched.take();
  assert.deepEqual([fetched.hasRoom, told], [false, 0]);
  fetched.take();
  assert.deepEqual([fetched.hasRoom, told], [true, 1]);
  fetched.accept(answer([5, 6, 7], 8, 1_000_000), 5);
  fetched.seek(90);
  assert.equal(fetched.hasRoom, true);
});

test('an offset that cannot be got at is passed, with its reason in its place', async () => {
  const fetched = open();
  fetched.seek(4);
  const { promise } = fetched.arrival();
  fetched.passDamage('bad bytes');
  await promise;
  assert.deepEqual([fetched.peek()!.offset, fetched.peek()!.damage, fetched.nextOffset], [4, 'bad bytes', 5]);
});

test('who waits is woken by the close, and nothing is taken afterwards', async () => {
  const fetched = open();
  fetched.seek(0);
  const { promise } = fetched.arrival();
  fetched.close();
  await promise;
  fetched.accept(answer([0]), 0);
  assert.equal(fetched.peek(), undefined);
});

test('a reader is current when it has read what the last answer knew of, and the answer is fresh', () => {
  const fetched = open();
  assert.equal(fetched.isCurrent(0), false, 'nobody has said from where');
  fetched.seek(98);
  fetched.accept(answer([98]), 98);
  fetched.hear(1000);
  fetched.take();
  assert.equal(fetched.isCurrent(1000), false, 'a record is still on its way');
  fetched.accept(answer([99]), 99);
  fetched.hear(1100);
  assert.equal(fetched.isCurrent(1100), false, 'and not read yet');
  fetched.take();
  assert.deepEqual([fetched.isCurrent(1200), fetched.isCurrent(60_000)], [true, false]);
});
