import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { DeliveryBench, MemoryReceiver, openIncident, reportOf } from './delivery.fixture.ts';

/** Whether it has resolved by now, at the time of asking. */
function watch(promise: Promise<void>): () => boolean {
  let isOver = false;
  void promise.then(() => (isOver = true));
  return () => isOver;
}

test('a delivery is settled once what is due soon is sent', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const delivery = bench.start({ chat });
  await bench.advance(100);
  assert.ok(await delivery.settled(2000).then(() => true), 'there is nothing to do');
  bench.put(openIncident('in-1'), reportOf('in-1'));
  delivery.wake('in-1');
  const isOver = watch(delivery.settled(2000));
  await bench.advance(900);
  assert.deepEqual([isOver(), chat.calls], [false, 0]);
  await bench.advance(1000);
  assert.deepEqual([isOver(), chat.calls], [true, 1]);
});

test('it does not wait for what is due later, nor for a receiver that is away', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const delivery = bench.start({ chat }, { group_wait: '30s' });
  await bench.advance(100);
  bench.put(openIncident('in-1'), reportOf('in-1'));
  delivery.wake('in-1');
  const isOver = watch(delivery.settled(2000));
  await bench.advance(1000);
  assert.deepEqual([isOver(), chat.calls], [true, 0]);
  chat.answer = () => Promise.reject(new HeliosError('unavailable', 'cannot send: it is away, a test says so'));
  await bench.advance(40_000);
  const isOverAgain = watch(delivery.settled(0));
  await bench.advance(5000);
  assert.ok(isOverAgain());
});
