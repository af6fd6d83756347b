import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import type { Readiness } from '../console/dependencies.ts';
import { heartbeatConfigSchema } from '../config/heartbeat.ts';
import { ManualClock } from '../lib/clock.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { Vitals } from './vitals.ts';

const MINUTE = 60_000;
const READY: Readiness = { ready: true, reasons: [] };

interface Listened {
  method: string | undefined;
  url: string | undefined;
  body: string;
}

/** What calls people when it is not called: as services of that kind take it, GET or POST. */
async function openListener() {
  const heard: Listened[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      heard.push({ method: request.method, url: request.url, body });
      if (status > 0) response.writeHead(status).end('OK');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    heard,
    answer: (next: number) => (status = next),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/5e1f`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function createBody(settings: Record<string, unknown>) {
  const clock = new ManualClock(1_000_000);
  const said: string[] = [];
  const shown = new Map<string, number>();
  const calls: Promise<unknown>[] = [];
  const state = { come: 10, done: 10, readiness: READY, fails: null as Error | null, hangs: false };
  const metrics: Metrics = {
    add: (definition, value, labels) => {
      const key = `${definition.name} ${Object.values(labels ?? {}).join()}`.trim();
      shown.set(key, (shown.get(key) ?? 0) + value);
    },
    set: (definition, value, labels) => void shown.set(`${definition.name} ${Object.values(labels ?? {}).join()}`.trim(), value),
    observe: () => {},
  };
  const logger = {
    debug: () => {},
    info: (message: string) => void said.push(message),
    warn: (message: string, fields?: Record<string, unknown>) => void said.push(`${message}: ${String(fields?.['reason'])}`),
    error: () => {},
  };
  const vitals = (): Vitals => {
    if (state.fails) throw state.fails;
    return { stages: [{ name: 'events', come: state.come, done: state.done }], waits: [] };
  };
  const config = heartbeatConfigSchema.parse(settings);
  const ask: typeof fetch = (...call) => {
    const answer = fetch(...call);
    calls.push(answer);
    return answer;
  };
  return {
    clock,
    calls,
    said,
    shown,
    state,
    options: { fetch: ask, config, version: '1.2.3', readiness: () => state.readiness, vitals, clock, logger, metrics },
  };
}

type Body = ReturnType<typeof createBody>;
const outcomes = ({ shown }: Body): (number | undefined)[] =>
  ['ok', 'failed', 'withheld'].map((outcome) => shown.get(`helios_heartbeat_calls_total ${outcome}`));

/** Everything that is to be done now is done. */
async function settle({ calls, state }: Body): Promise<void> {
  await new Promise(setImmediate);
  if (!state.hangs) await Promise.allSettled(calls);
  await new Promise(setImmediate);
}

/** Lets time pass, a look at a time, each with what it does. */
async function pass(body: Body, ms: number): Promise<void> {
  await settle(body);
  for (let passed = 0; passed < ms; passed += 15_000) {
    body.clock.advance(15_000);
    await settle(body);
  }
}

test('it calls once an interval, with its state and nothing else', async () => {
  await using listener = await openListener();
  const body = createBody({ url: listener.url });
  await using _heartbeat = createHeartbeat(body.options);
  await pass(body, 3 * MINUTE);
  assert.equal(listener.heard.length, 4);
  assert.deepEqual([listener.heard[0]?.method, listener.heard[0]?.url], ['POST', '/ping/5e1f']);
  const told = JSON.parse(listener.heard[0]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual(Object.keys(told), ['status', 'version', 'at', 'lagSeconds', 'silenceSeconds']);
  assert.deepEqual([told['status'], told['version'], told['lagSeconds']], ['up', '1.2.3', 0]);
  assert.ok((body.shown.get('helios_heartbeat_last_success_timestamp_seconds') ?? 0) >= 1000);
});

test('a service that takes GET is called so, without a body', async () => {
  await using listener = await openListener();
  const body = createBody({ url: listener.url, method: 'get' });
  await using _heartbeat = createHeartbeat(body.options);
  await pass(body, 0);
  assert.deepEqual([listener.heard[0]?.method, listener.heard[0]?.body], ['GET', '']);
});

for (const [state, change, reason] of [
  [
    'down',
    (body: Body) => (body.state.readiness = { ready: false, reasons: [{ name: 'log', reason: 'is full' }] }),
    'not ready: log is full',
  ],
  ['behind', (body: Body) => (body.state.come = 11), 'behind: events of '],
  ['deaf', () => {}, 'deaf: nothing has come for longer than 4m'],
  [
    'blind',
    (body: Body) => (body.state.fails = new Error('the database is away')),
    'not known how HELIOS fares: the database is away',
  ],
] as const) {
  test(`it falls silent while HELIOS is ${state}, says why once, and calls again when that is over`, async () => {
    await using listener = await openListener();
    const body = createBody({ url: listener.url, max_silence: '4m', max_lag: '2m' });
    await using _heartbeat = createHeartbeat(body.options);
    await pass(body, 0);
    assert.equal(listener.heard.length, 1);
    change(body);
    await pass(body, 6 * MINUTE);
    const before = listener.heard.length;
    await pass(body, 3 * MINUTE);
    assert.equal(listener.heard.length, before);
    assert.ok((outcomes(body)[2] ?? 0) >= 3);
    assert.equal(body.said.length, 1);
    assert.ok(body.said[0]?.startsWith(`no heartbeat is sent: ${reason}`), body.said[0]);
    Object.assign(body.state, { come: 20, done: 20, readiness: READY, fails: null });
    await pass(body, 2 * MINUTE);
    assert.equal(listener.heard.length, before + 2);
    assert.deepEqual(body.said.slice(1), ['the heartbeat gets through again']);
  });
}

test('a call that fails is said once and counted, and its address is in no message', async () => {
  await using listener = await openListener();
  listener.answer(503);
  const body = createBody({ url: listener.url });
  await using _heartbeat = createHeartbeat(body.options);
  await pass(body, 3 * MINUTE);
  assert.deepEqual(body.said, ['the heartbeat does not get through: it is answered 503']);
  assert.equal(outcomes(body)[1], 4);
  const nobody = createBody({ url: 'http://127.0.0.1:1/ping/5e1f' });
  await using _other = createHeartbeat(nobody.options);
  await pass(nobody, MINUTE);
  assert.equal(nobody.said.length, 1);
  assert.doesNotMatch(nobody.said.join(), /5e1f/);
});

test('an answer that does not come is given up, and stopping does not wait for one', async () => {
  await using listener = await openListener();
  listener.answer(0);
  const body = createBody({ url: listener.url, timeout: '10s' });
  body.state.hangs = true;
  {
    await using _heartbeat = createHeartbeat(body.options);
    await pass(body, MINUTE);
    assert.deepEqual(body.said, ['the heartbeat does not get through: no answer in time']);
    await pass(body, MINUTE);
  }
  assert.equal(body.clock.pendingTimers, 0);
});

test('without a URL nothing is called, and how HELIOS fares is shown all the same', async () => {
  const body = createBody({});
  await using _heartbeat = createHeartbeat(body.options);
  await pass(body, 0);
  body.state.come = 11;
  await pass(body, MINUTE);
  assert.deepEqual(outcomes(body), [undefined, undefined, undefined]);
  assert.equal(body.shown.get('helios_vitals_lag_seconds events'), 45);
  assert.equal(body.shown.get('helios_vitals_silence_seconds'), 45);
});

test('a URL that cannot be called is refused without being repeated', () => {
  for (const url of ['ping/5e1f', 'ftp://example.com/5e1f', 'https://me:5e1f@example.com/']) {
    assert.throws(
      () => createHeartbeat(createBody({ url }).options),
      (error: Error) => /cannot use heartbeat\.url/.test(error.message) && !error.message.includes('5e1f'),
    );
  }
});
