import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { MemoryRecords } from '../store/record-store.fixture.ts';
import { createFixture, NOW_MS, stubStore } from './console.fixture.ts';
import type { Fixture } from './console.fixture.ts';
import type { SlackAction } from './dependencies.ts';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const USER = { id: 'U1', username: 'ada', name: 'ada.l', team_id: 'T1' };

function formOf(payload: unknown): string {
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

function press(action: string, value = 'inc-1'): string {
  const actions = [{ type: 'button', block_id: 'helios_incident', action_id: action, value, action_ts: '1.2' }];
  return formOf({ type: 'block_actions', user: USER, container: { type: 'message', message_ts: '1.1' }, actions });
}

interface Sending {
  secret?: string;
  atMs?: number;
  headers?: Record<string, string>;
}

function sign(body: string, { secret = SECRET, atMs = NOW_MS }: Sending = {}): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1000));
  const hash = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${hash}` };
}

function send({ app }: Fixture, body: string, sending: Sending = {}) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...sign(body, sending), ...sending.headers };
  return app.inject({ method: 'POST', url: '/api/v1/slack/interactions', headers, payload: body });
}

async function openFixture(answer: (action: SlackAction) => Promise<void> = async () => {}, records = new MemoryRecords()) {
  const taken: SlackAction[] = [];
  const onAction = async (action: SlackAction): Promise<void> => {
    taken.push(action);
    await answer(action);
  };
  const store = { ...stubStore([]), records };
  return {
    taken,
    fixture: await createFixture({ store, slack: { signingSecrets: () => ['another secret', SECRET], onAction } }),
  };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

test('a button that is pressed is answered at once and then carried out', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { taken, fixture } = await openFixture(() => promise);
  await using _ = fixture;
  for (const action of ['acknowledge', 'real', 'expected', 'false_alarm', 'new_normal']) {
    const answer = await send(fixture, press(action));
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, '');
  }
  await turns();
  assert.deepEqual(taken[0], { incidentId: 'inc-1', action: 'acknowledge', by: 'ada (Slack)' });
  assert.deepEqual(taken.map(({ action }) => action).toSorted(), [
    'acknowledge',
    'expected',
    'false_alarm',
    'new_normal',
    'real',
  ]);
  resolve();
});

test('what Slack has not signed, or not lately, is refused', async () => {
  const { taken, fixture } = await openFixture();
  await using _ = fixture;
  const body = press('acknowledge');
  const { 'x-slack-signature': good = '' } = sign(body);
  const refused: Sending[] = [
    { secret: 'wrong' },
    { atMs: NOW_MS - 301_000 },
    { atMs: NOW_MS + 301_000 },
    { headers: { 'x-slack-signature': '' } },
    { headers: { 'x-slack-signature': good.slice(0, -1) } },
    { headers: { 'x-slack-signature': good.replace('v0', 'v1') } },
    { headers: { 'x-slack-request-timestamp': 'now' } },
    { headers: { 'x-slack-request-timestamp': String(NOW_MS / 1000 + 1) } },
  ];
  for (const sending of refused) {
    const answer = await send(fixture, body, sending);
    assert.equal(answer.statusCode, 401, JSON.stringify(sending));
  }
  const other = await send(fixture, press('real'), { headers: sign(body) });
  assert.equal(other.statusCode, 401, 'a signature of other bytes');
  await turns();
  assert.deepEqual(taken, []);
  assert.equal((await send(fixture, body)).statusCode, 200);
});

test('an interaction counts once, also when it is sent again to another process', async () => {
  const records = new MemoryRecords();
  const [first, second] = [await openFixture(undefined, records), await openFixture(undefined, records)];
  await using _first = first.fixture;
  await using _second = second.fixture;
  const body = press('acknowledge');
  assert.equal((await send(first.fixture, body)).statusCode, 200);
  assert.equal((await send(first.fixture, body)).statusCode, 401);
  await turns();
  await send(second.fixture, body);
  await turns();
  assert.deepEqual([first.taken.length, second.taken.length], [1, 0]);
});

test('other interactions are taken and do nothing, and what cannot be read is refused', async () => {
  const { taken, fixture } = await openFixture();
  await using _ = fixture;
  const idle = [
    formOf({ type: 'view_submission', user: USER }),
    formOf({ type: 'block_actions', user: USER, actions: [{ action_id: 'drop_tables', value: 'inc-1' }] }),
    formOf({ type: 'block_actions', user: USER, actions: [{ action_id: 'real', value: 'x'.repeat(300) }] }),
    formOf({ type: 'block_actions', user: USER, actions: [{ action_id: 'real' }] }),
    formOf([]),
  ];
  for (const body of idle) assert.equal((await send(fixture, body)).statusCode, 200);
  for (const body of ['payload={', 'a=b', '']) assert.equal((await send(fixture, body)).statusCode, 400, body);
  const json = await send(fixture, '{}', { headers: { 'content-type': 'application/json' } });
  assert.equal(json.statusCode, 415);
  await turns();
  assert.deepEqual(taken, []);
});

test('an action that fails is logged, and the next one works', async () => {
  const { taken, fixture } = await openFixture(({ action }) =>
    action === 'real' ? Promise.reject(new Error('gone')) : Promise.resolve(),
  );
  await using _ = fixture;
  await send(fixture, press('real'));
  await send(fixture, press('expected'));
  await turns();
  assert.deepEqual(taken.map(({ action }) => action).toSorted(), ['expected', 'real']);
});

test('without a signing secret there is no such route', async () => {
  await using fixture = await createFixture();
  assert.equal((await send(fixture, press('real'))).statusCode, 404);
  await using other = await createFixture({ slack: { signingSecrets: () => [], onAction: () => assert.fail('nobody signed') } });
  assert.equal((await send(other, press('real'), { secret: '' })).statusCode, 404);
});
