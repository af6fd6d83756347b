import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime } from '../../lib/clock.ts';
import { SILENCE_PREFIX } from '../../model/silence.ts';
import type { Silence } from '../../model/silence.ts';
import { DeliveryBench, MemoryReceiver, openIncident, reportOf, START_MS } from './delivery.fixture.ts';

const HOUR_MS = 3_600_000;
const states = ({ taken }: MemoryReceiver): string[] => taken.map(({ state }) => state);

/** As the API stores it. */
async function silence(bench: DeliveryBench, service: string, forMs: number): Promise<void> {
  const nowMs = bench.clock.nowMs();
  const value: Silence = {
    id: `sil-${service}`,
    labels: { service },
    from: isoTime(nowMs),
    to: isoTime(nowMs + forMs),
    by: 'ada',
    comment: '',
    createdAt: isoTime(nowMs),
  };
  const key = SILENCE_PREFIX + value.id;
  const [known] = await bench.store.records.get([key]);
  await bench.store.records.write([{ key, value, revision: known?.revision ?? 0 }]);
}

/** Time of day of a moment, UTC. */
function timeOf(ms: number): string {
  return isoTime(ms).slice(11, 16);
}

test('nobody is told of what is silenced, until the silence ends', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  await silence(bench, 'payment', HOUR_MS);
  bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.put(openIncident('in-2', { services: ['payment', 'cart'] }), reportOf('in-2'));
  await bench.advance(HOUR_MS / 2, 5000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-2'], 'another service is not hidden');
  await bench.advance(HOUR_MS, 5000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-2', 'chat/in-1']);
});

test('an incident that was silenced to its end is never told', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  await silence(bench, 'payment', HOUR_MS);
  const delivery = bench.start({ chat });
  await bench.advance(100);
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(60_000, 5000);
  bench.put(openIncident('in-1', { status: 'resolved' }), reportOf('in-1', 2));
  await bench.advance(2 * HOUR_MS, 10_000);
  bench.put(openIncident('in-1', { status: 'resolved' }), reportOf('in-1', 3));
  delivery.wake();
  await bench.advance(60_000, 5000);
  assert.equal(chat.calls, 0);
});

test('a message that is there already changes no more while it is silenced, and is told the end', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const delivery = bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(3000);
  await silence(bench, '*', HOUR_MS);
  bench.put(openIncident('in-1', { title: 'it goes on' }), reportOf('in-1', 2));
  delivery.wake();
  await bench.advance(60_000, 5000);
  assert.deepEqual(states(chat), ['opened']);
  bench.put(openIncident('in-1', { status: 'resolved' }));
  await bench.advance(10_000);
  assert.deepEqual(states(chat), ['opened', 'resolved']);
});

test('what a receiver did not take before a silence is not sent during it', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  chat.answer = () => Promise.reject(new Error('connection refused'));
  bench.start({ chat });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(3000);
  await silence(bench, 'payment', HOUR_MS);
  await bench.advance(6000);
  chat.answer = () => {};
  await bench.advance(HOUR_MS / 2, 5000);
  assert.equal(chat.taken.length, 0);
  await bench.advance(HOUR_MS, 5000);
  assert.deepEqual(states(chat), ['opened']);
});

test('in quiet hours nothing is sent below the severity; at their end the newest state is, once', async () => {
  await using bench = new DeliveryBench();
  const [chat, pager] = [new MemoryReceiver({ edit: false, dedup: false }), new MemoryReceiver()];
  const quietHours = { receivers: ['chat'], from: timeOf(START_MS - 60_000), to: timeOf(START_MS + HOUR_MS), zone: 'UTC' };
  const delivery = bench.start({ chat, pager }, { quiet_hours: [quietHours] });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.put(openIncident('in-2'), reportOf('in-2'));
  bench.put(openIncident('in-3', { severity: 'critical' }), reportOf('in-3'));
  await bench.advance(60_000, 1000);
  assert.deepEqual(
    [...chat.posted.values()].map(({ incident }) => incident.id),
    ['in-3'],
    'what is critical does not wait',
  );
  assert.equal(pager.posted.size, 3, 'others have no quiet hours');
  bench.put(openIncident('in-1', { status: 'acknowledged' }));
  bench.put(openIncident('in-2', { status: 'resolved' }));
  delivery.wake();
  await bench.advance(HOUR_MS / 2, 10_000);
  assert.equal(chat.taken.length, 1);
  assert.equal(bench.metrics.values.get('helios_notifications_pending{receiver=chat}'), 0, 'a wait that is wanted is no backlog');
  await bench.advance(HOUR_MS, 10_000);
  assert.deepEqual(
    chat.taken
      .slice(1)
      .map(({ incident, state }) => `${incident.id} ${state}`)
      .toSorted(),
    ['in-1 acknowledged', 'in-2 resolved'],
  );
});

test('a long night does not make a message too old to be sent', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const from = timeOf(START_MS - 60_000);
  bench.start({ chat }, { quiet_hours: [{ from, to: timeOf(START_MS - HOUR_MS), zone: 'UTC' }], give_up_after: '1h' });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  await bench.advance(22 * HOUR_MS, 60_000);
  assert.equal(chat.calls, 0);
  await bench.advance(1.5 * HOUR_MS, 60_000);
  assert.deepEqual(states(chat), ['opened']);
});

test('a weekly maintenance window mutes what it names, while it lasts', async () => {
  await using bench = new DeliveryBench();
  const chat = new MemoryReceiver();
  const at = timeOf(START_MS - 60_000);
  bench.start({ chat }, { maintenance: [{ match: { service: 'payment' }, at, duration: '30m', zone: 'UTC' }] });
  bench.put(openIncident('in-1'), reportOf('in-1'));
  bench.put(openIncident('in-2', { services: ['cart'] }), reportOf('in-2'));
  await bench.advance(20 * 60_000, 5000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-2']);
  await bench.advance(20 * 60_000, 5000);
  assert.deepEqual([...chat.posted.keys()], ['chat/in-2', 'chat/in-1']);
});

test('who is routed to is told, who was told once is told the end', async () => {
  await using bench = new DeliveryBench();
  const [pager, chat] = [new MemoryReceiver(), new MemoryReceiver()];
  bench.start(
    { pager, chat },
    { routes: [{ min_severity: 'high', receivers: ['pager'], continue: true }, { receivers: ['chat'] }] },
  );
  bench.put(openIncident('in-1', { severity: 'medium' }), reportOf('in-1'));
  await bench.advance(10_000);
  assert.deepEqual([pager.calls, chat.calls], [0, 1]);
  bench.put(openIncident('in-1', { severity: 'critical' }));
  await bench.advance(20_000, 1000);
  assert.deepEqual(states(pager), ['opened']);
  bench.put(openIncident('in-1', { severity: 'low', status: 'resolved' }));
  await bench.advance(20_000, 1000);
  assert.deepEqual(states(pager), ['opened', 'resolved']);
  bench.put(openIncident('in-2', { severity: 'low', status: 'resolved' }), reportOf('in-2'));
  await bench.advance(60_000, 1000);
  assert.equal(pager.calls, 2);
});
