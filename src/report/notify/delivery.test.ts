import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { DeliveryBench, MemoryReceiver, openIncident, reportOf } from './delivery.fixture.ts';

const states = ({ taken }: MemoryReceiver): string[] => taken.map(({ state }) => state);

test('an incident is told with its report, changed in place as it goes on, and told to its end', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const delivery = bench.start({ chat });
  await bench.advance(100);
  bench.put(openIncident('in-1'), reportOf('in-1'));
  delivery.wake('in-1');
  await bench.advance(900);
  assert.deepEqual(states(chat), [], 'it waits for what belongs to it');
  await bench.advance(500);
  assert.deepEqual(states(chat), ['opened']);
  assert.equal(chat.taken[0]?.report?.version, 1);
  assert.deepEqual(chat.taken[0]?.labels, { service: 'payment', severity: 'high', signal: 'error_rate' });

  bench.put(openIncident('in-1'), reportOf('in-1', 2));
  delivery.wake('in-1');
  await bench.advance(5000);
  assert.deepEqual(states(chat), ['opened'], 'a message changes at most every 15 s');
  await bench.advance(11_000);
  assert.deepEqual(states(chat), ['opened', 'updated']);
  bench.put(openIncident('in-1', { status: 'acknowledged', acknowledgedBy: 'ada' }));
  delivery.wake();
  await bench.advance(500);
  bench.put(openIncident('in-1', { status: 'resolved', resolvedAt: '2026-01-01T00:00:00.000Z' }));
  await bench.advance(5500);
  assert.deepEqual(states(chat), ['opened', 'updated', 'acknowledged', 'resolved']);
  assert.equal(chat.posted.size, 1);
  assert.deepEqual(
    chat.taken.map(({ revision }) => revision),
    [1, 2, 3, 4],
  );
  await bench.advance(120_000, 5000);
  assert.equal(chat.calls, 4, 'nothing is new');
});

test('what a person says of an incident is answered in its message at once', async () => {
  await using bench = new DeliveryBench();
  const [chat, mail] = [new MemoryReceiver(), new MemoryReceiver({ edit: false, dedup: false })];
  const delivery = bench.start({ chat, mail });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(3000);
  const feedback = {
    id: 'in-1.1',
    label: 'false_alarm' as const,
    cause: null,
    effect: '14 fewer alerts',
    by: 'ada (Slack)',
    at: '',
  };
  bench.put(openIncident('in-1', { feedback }));
  delivery.wake('in-1');
  await bench.advance(500);
  assert.deepEqual(states(chat), ['opened', 'updated']);
  assert.equal(chat.taken[1]?.incident.feedback?.by, 'ada (Slack)');
  await bench.advance(60_000, 1000);
  assert.deepEqual([chat.calls, mail.calls], [2, 1]);
  bench.put(openIncident('in-1', { feedback, status: 'resolved' }));
  await bench.advance(3_600_000, 5000);
  bench.put(openIncident('in-1', { feedback: { ...feedback, id: 'in-1.2', label: 'real' }, status: 'resolved' }));
  await bench.advance(6000);
  assert.equal(chat.taken.at(-1)?.incident.feedback?.label, 'real', 'also an hour after it was over');
});

test('without a report the first message waits twice as long, and no longer', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  bench.start({ chat });
  bench.put(openIncident('in-1'));
  await bench.advance(1500);
  assert.equal(chat.calls, 0);
  await bench.advance(1000);
  assert.equal(chat.taken[0]?.report, null);
});

test('a receiver that cannot change messages hears of new situations only', async () => {
  await using bench = new DeliveryBench();
  const mail = new MemoryReceiver({ edit: false, dedup: false });
  const delivery = bench.start({ mail });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(2000);
  for (let version = 2; version < 5; version++) {
    bench.put(openIncident('in-1', { title: `title ${version}` }), reportOf('in-1', version));
    delivery.wake('in-1');
    await bench.advance(20_000, 1000);
  }
  assert.deepEqual(states(mail), ['opened']);
  bench.put(openIncident('in-1', { severity: 'critical' }));
  await bench.advance(6000);
  bench.put(openIncident('in-1', { severity: 'medium' }));
  await bench.advance(60_000, 1000);
  bench.put(openIncident('in-1', { status: 'resolved' }));
  await bench.advance(6000);
  assert.deepEqual(states(mail), ['opened', 'updated', 'resolved']);
});

test('a dead receiver and a hanging one hold up nobody else, and get the newest state once they are back', async () => {
  await using bench = new DeliveryBench();
  const [good, dead, hanging] = [new MemoryReceiver(), new MemoryReceiver(), new MemoryReceiver()];
  dead.answer = () => Promise.reject(new HeliosError('unavailable', 'cannot send: 503'));
  hanging.answer = () => new Promise(() => {});
  bench.start({ dead, hanging, good });
  for (const id of ['in-1', 'in-2', 'in-3']) bench.put(openIncident(id), reportOf(id));
  await bench.advance(2000);
  assert.equal(good.taken.length, 3);
  assert.equal(bench.metrics.values.get('helios_notifications_pending{receiver=dead}'), 3);
  await bench.advance(600_000, 1000);
  assert.ok(dead.calls < 20, `${dead.calls} tries in ten minutes`);
  assert.ok(hanging.calls > 1, 'a send that hangs ends');
  for (const id of ['in-1', 'in-2', 'in-3']) bench.put(openIncident(id, { status: 'resolved' }));
  dead.answer = () => {};
  hanging.answer = () => {};
  await bench.advance(400_000, 1000);
  assert.deepEqual(states(dead), ['resolved', 'resolved', 'resolved']);
  assert.equal(hanging.posted.size, 3);
  assert.equal(bench.metrics.values.get('helios_notifications_pending{receiver=dead}'), 0);
});

test('a receiver that says how long to wait is left alone so long', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = () => Promise.reject(new HeliosError('unavailable', 'cannot send: 429', { details: { retryAfterMs: 40_000 } }));
  bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.put(openIncident('in-2'), reportOf('in-2'));
  await bench.advance(30_000, 1000);
  assert.equal(chat.calls, 1);
  chat.answer = () => {};
  await bench.advance(20_000, 1000);
  assert.equal(chat.posted.size, 2);
});

test('what a receiver does not take is given up after a day, and its next situation is tried again', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = () => Promise.reject(new Error('connection refused'));
  bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(25 * 3_600_000, 60_000);
  const { calls } = chat;
  assert.equal(bench.metrics.values.get('helios_notifications_total{receiver=chat,outcome=gave_up}'), 1);
  await bench.advance(3_600_000, 60_000);
  assert.equal(chat.calls, calls);
  chat.answer = () => {};
  bench.put(openIncident('in-1', { status: 'resolved' }));
  await bench.advance(400_000, 1000);
  assert.deepEqual(states(chat), ['resolved']);
});

test('a receiver that refuses its configuration is not asked again, others go on', async () => {
  await using bench = new DeliveryBench();
  const [chat, mail] = [new MemoryReceiver(), new MemoryReceiver()];
  chat.answer = () => Promise.reject(new HeliosError('invalid_config', 'cannot send: invalid_auth'));
  bench.start({ chat, mail });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(5000);
  bench.put(openIncident('in-2'), reportOf('in-2'));
  await bench.advance(600_000, 5000);
  assert.equal(chat.calls, 1);
  assert.equal(mail.posted.size, 2);
});

test('a restart goes on where the last process was: no second message, and the end is told', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver({ edit: true, dedup: false });
  const first = bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(2000);
  await bench.stop(first);
  bench.start({ chat }, {}, { owner: 'next' });
  await bench.advance(30_000, 1000);
  assert.equal(chat.calls, 1);
  bench.put(openIncident('in-1', { status: 'resolved' }), reportOf('in-1', 2));
  await bench.advance(6000);
  assert.deepEqual(states(chat), ['opened', 'resolved']);
  assert.deepEqual(
    chat.previous.map((sent) => sent?.revision),
    [undefined, 1],
  );
});

test('incidents that were over before a receiver was there are not told, open ones are', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  bench.put(openIncident('in-old', { status: 'resolved' }), reportOf('in-old'));
  bench.put(openIncident('in-now'), reportOf('in-now'));
  bench.start({ chat });
  await bench.advance(10_000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-now']);
  bench.put(openIncident('in-short', { status: 'resolved' }), reportOf('in-short'));
  await bench.advance(10_000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-now', 'chat/in-short'], 'one that was short is told');
});

test('an incident that became part of another is told in the message that there is, and not at all where there is none', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const delivery = bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(3000);
  bench.put(openIncident('in-2'), reportOf('in-2'));
  delivery.wake();
  await bench.advance(500);
  const merged = { status: 'resolved' as const, mergedInto: 'in-3' };
  for (const id of ['in-1', 'in-2']) bench.put(openIncident(id, merged));
  bench.put(openIncident('in-3'), reportOf('in-3'));
  await bench.advance(10_000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-1', 'chat/in-3']);
  assert.equal(chat.posted.get('chat/in-1')?.state, 'resolved');
  assert.equal(chat.posted.get('chat/in-1')?.incident.mergedInto, 'in-3');
});

test('past the messages of an hour incidents wait, the last message says how many, critical ones are told', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  bench.start({ chat }, { max_messages_per_hour: 3 });
  for (let i = 1; i <= 8; i++) bench.put(openIncident(`in-${i}`), reportOf(`in-${i}`));
  await bench.advance(20_000, 500);
  assert.equal(chat.posted.size, 3);
  assert.deepEqual(
    [...chat.posted.values()].map(({ grouped }) => grouped).toSorted((a, b) => a - b),
    [0, 0, 5],
  );
  bench.put(openIncident('in-9', { severity: 'critical' }), reportOf('in-9'));
  await bench.advance(20_000, 500);
  assert.ok(chat.posted.has('chat/in-9'));
  assert.equal(bench.metrics.values.get('helios_notifications_pending{receiver=chat}'), 5);
  await bench.advance(3_600_000, 5000);
  assert.equal(chat.posted.size, 7);
  await bench.advance(3_600_000, 5000);
  assert.equal(chat.posted.size, 9);
  assert.ok([...chat.posted.values()].every(({ grouped }) => grouped === 0));
});

test('what is over is not told again when its record has become old, whether or not anything has happened since', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const first = bench.start({ chat });
  await bench.advance(100);
  for (const id of ['in-1', 'in-2']) {
    bench.put(openIncident(id), reportOf(id));
    await bench.advance(10_000);
    bench.put(openIncident(id, { status: 'resolved' }));
    await bench.advance(10_000);
  }
  assert.equal(chat.calls, 4);
  await bench.advance(8 * 86_400_000, 600_000);
  assert.equal(chat.calls, 4);
  await bench.stop(first);
  bench.start({ chat });
  await bench.advance(86_400_000, 600_000);
  assert.equal(chat.calls, 4);
  bench.put(openIncident('in-3'), reportOf('in-3'));
  bench.store.documents.incident = bench.store.documents.incident.filter(({ id }) => id !== 'in-1');
  await bench.advance(600_000, 10_000);
  assert.equal(chat.calls, 5);
  const keys = (await bench.store.records.list({ prefix: 'delivery/chat/', limit: 10 })).map(({ key }) => key);
  assert.deepEqual(keys, ['delivery/chat/in-2', 'delivery/chat/in-3'], 'records of what is not looked at any more are removed');
});
