import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { DeliveryBench, MemoryReceiver, openIncident, reportOf, settle, START_MS } from './delivery.fixture.ts';

const states = ({ taken }: MemoryReceiver): string[] => taken.map(({ state }) => state);

test('three processes over one store tell each state once, also to a receiver that knows no repeats', async () => {
  await using bench = new DeliveryBench();
  const hook = new MemoryReceiver({ edit: false, dedup: false });
  hook.answer = () => new Promise((resolve) => bench.clock.after(100, () => resolve()));
  const processes = ['a', 'b', 'c'].map((owner) => bench.start({ hook }, {}, { owner }));
  const wakeAll = (): void => processes.forEach((process) => process.wake());
  for (let i = 1; i <= 20; i++) {
    bench.put(openIncident(`in-${i}`), reportOf(`in-${i}`));
    wakeAll();
    await bench.advance(100);
  }
  await bench.advance(20_000, 100);
  assert.equal(hook.taken.length, 20);
  for (let i = 1; i <= 20; i++) bench.put(openIncident(`in-${i}`, { status: 'resolved' }));
  wakeAll();
  await bench.advance(20_000, 100);
  assert.equal(hook.taken.length, 40);
  assert.equal(new Set(hook.taken.map(({ key, state }) => `${key} ${state}`)).size, 40);
});

test('what a process was sending when it died is taken over when its lease ends, by one that knows that there may be a message', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  // Its clock stands still from the moment on at which it sends: it is dead, and has closed nothing.
  const clock = new ManualClock(START_MS);
  const { promise: never } = Promise.withResolvers<void>();
  chat.answer = async () => {
    await never;
  };
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.start({ chat }, {}, { owner: 'dead', clock });
  for (let step = 0; step < 10; step++) {
    await settle();
    clock.advance(250);
  }
  await settle();
  assert.equal(chat.calls, 1);
  chat.answer = () => {};
  bench.start({ chat }, {}, { owner: 'living' });
  await bench.advance(40_000, 1000);
  assert.equal(chat.calls, 1, 'it is leased');
  await bench.advance(10_000, 1000);
  assert.deepEqual(states(chat), ['opened']);
  assert.equal(chat.taken[0]?.revision, 1, 'the same message again');
  clock.advance(60_000);
  await settle();
});

test('a process that has the owner of its predecessor goes on at once', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const clock = new ManualClock(START_MS);
  chat.answer = () => new Promise(() => {});
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.start({ chat }, {}, { clock });
  for (let step = 0; step < 10; step++) {
    await settle();
    clock.advance(250);
  }
  chat.answer = () => {};
  bench.start({ chat });
  await bench.advance(3000);
  assert.deepEqual(states(chat), ['opened']);
  clock.advance(60_000);
  await settle();
});

test('a store that is away holds messages up and loses none; what was sent while it went away is recorded later', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver({ edit: false, dedup: false });
  bench.start({ chat });
  await bench.advance(100);
  bench.store.failures = 3;
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(20_000);
  assert.equal(chat.taken.length, 1);

  const { records } = bench.store;
  const write = records.write.bind(records);
  chat.answer = () => {
    let failures = 4;
    records.write = (writes) => (failures-- > 0 ? Promise.reject(new Error('the store is away')) : write(writes));
  };
  bench.put(openIncident('in-2'), reportOf('in-2'));
  await bench.advance(60_000);
  assert.equal(chat.taken.length, 2);
});

test('a message that its receiver cannot take is told as such and not tried for ever; its next situation is', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = ({ incident }) =>
    incident.id === 'in-1' && incident.status === 'open'
      ? Promise.reject(new HeliosError('not_found', 'cannot send: the channel is archived'))
      : Promise.resolve();
  bench.start({ chat });
  for (const id of ['in-1', 'in-2']) bench.put(openIncident(id), reportOf(id));
  await bench.advance(60_000, 1000);
  assert.equal(chat.calls, 2);
  assert.equal(bench.metrics.values.get('helios_notifications_total{receiver=chat,outcome=gone}'), 1);
  bench.put(openIncident('in-1', { status: 'resolved' }));
  await bench.advance(20_000, 1000);
  assert.deepEqual(states(chat), ['opened', 'resolved']);
});

test('one message that always fails does not keep others from a receiver that works', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = ({ incident }) =>
    incident.id === 'in-1' ? Promise.reject(new HeliosError('unavailable', 'cannot send: 500')) : Promise.resolve();
  bench.start({ chat });
  bench.put(openIncident('in-1', { severity: 'critical' }), reportOf('in-1'));
  await bench.advance(1_800_000, 2000);
  bench.put(openIncident('in-2'), reportOf('in-2'));
  bench.put(openIncident('in-3'), reportOf('in-3'));
  await bench.advance(310_000, 1000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-2', 'chat/in-3']);
});

test('a receiver whose process stops is told by the next one', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = (_message, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const first = bench.start({ chat }, {}, { owner: 'first' });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(2000);
  assert.equal(chat.calls, 1);
  const stopping = bench.stop(first);
  await bench.advance(4000);
  await stopping;
  chat.answer = () => {};
  bench.start({ chat }, {}, { owner: 'second' });
  await bench.advance(3000);
  assert.deepEqual(states(chat), ['opened'], 'it has left no lease');
});
