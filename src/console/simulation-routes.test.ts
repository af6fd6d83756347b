import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError, type Problem } from '../lib/errors.ts';
import { createFixture, keyedAuthorize } from './console.fixture.ts';
import { sampleSimulation } from './simulation.fixture.ts';

const post = { method: 'POST' as const, url: '/api/v1/simulations' };

test('a simulation is accepted with where it can be looked up', async () => {
  await using fixture = await createFixture();
  const overrides = { false_alarm_budget: 1 };
  const payload = { overrides, from: '2025-10-01', to: '2025-10-02', service: 'cart' };
  const answer = await fixture.app.inject({ ...post, payload });
  assert.equal(answer.statusCode, 202);
  assert.equal(answer.headers['location'], '/api/v1/simulations/sim-1');
  assert.deepEqual(answer.json(), sampleSimulation);
  const range = { fromMs: Date.UTC(2025, 9, 1), toMs: Date.UTC(2025, 9, 2) };
  assert.deepEqual(fixture.calls, [['simulate', { overrides, service: 'cart', ...range }]]);
});

test('lists leave the result out, one has it, and an unknown one is not found', async () => {
  await using fixture = await createFixture();
  const { items } = (await fixture.app.inject('/api/v1/simulations')).json<{ items: object[] }>();
  assert.deepEqual(
    items.map((item) => 'result' in item),
    [false],
  );
  assert.deepEqual((await fixture.app.inject('/api/v1/simulations/sim-1')).json(), sampleSimulation);
  assert.equal((await fixture.app.inject('/api/v1/simulations/sim-2')).statusCode, 404);
  assert.equal((await fixture.app.inject({ method: 'DELETE', url: '/api/v1/simulations/sim-1' })).statusCode, 200);
  assert.equal((await fixture.app.inject({ method: 'DELETE', url: '/api/v1/simulations/sim-2' })).statusCode, 404);
  assert.deepEqual(fixture.calls, [
    ['cancel', 'sim-1'],
    ['cancel', 'sim-2'],
  ]);
});

test('malformed bodies are refused, and what the service refuses names its field', async () => {
  const refuse = (): never => {
    throw new HeliosError('invalid_argument', 'cannot use the overrides: x', { details: { field: 'overrides' } });
  };
  const none = { create: refuse, get: () => undefined, list: () => [], cancel: () => Promise.resolve(undefined) };
  await using fixture = await createFixture({ simulations: none });
  const cases: [object, string][] = [
    [{}, 'overrides'],
    [{ overrides: { x: 1 } }, 'overrides'],
    [{ overrides: {}, from: 'soon' }, 'from'],
    [{ overrides: {}, from: '2025-10-02', to: '2025-10-01' }, 'from'],
    [{ overrides: {}, services: 'a' }, 'services'],
  ];
  for (const [payload, field] of cases) {
    const answer = await fixture.app.inject({ ...post, payload });
    assert.equal(answer.statusCode, 400, JSON.stringify(payload));
    assert.equal(answer.json<Problem>()['field'], field);
  }
});

test('asking takes the role respond, looking takes read', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const headers = { 'x-api-key': 'read' };
  assert.equal((await fixture.app.inject({ ...post, headers, payload: { overrides: {} } })).statusCode, 403);
  assert.equal((await fixture.app.inject({ url: post.url, headers })).statusCode, 200);
  const responder = { 'x-api-key': 'respond' };
  assert.equal((await fixture.app.inject({ ...post, headers: responder, payload: { overrides: {} } })).statusCode, 202);
});

test('a simulation goes over the stream to who asks for its service, or for everything', async () => {
  await using fixture = await createFixture();
  const frames: Record<string, string> = { all: '', cart: '', pay: '' };
  const subscribe = (name: string, service?: string): void => {
    fixture.stream.subscribe({
      reader: {
        write: (frame) => {
          frames[name] += Buffer.from(frame).toString();
          return true;
        },
        unsentBytes: () => 0,
        close: () => {},
      },
      maxUnsentBytes: 1e6,
      types: ['simulation'],
      ...(service === undefined ? {} : { service }),
    });
  };
  subscribe('all');
  subscribe('cart', 'cart');
  subscribe('pay', 'pay');
  const { result: _, ...status } = sampleSimulation;
  fixture.stream.publish('simulation', { ...status, service: 'cart' });
  assert.match(frames['all'] ?? '', /event: simulation\ndata: \{"id":"sim-1"/);
  assert.match(frames['cart'] ?? '', /event: simulation/);
  assert.doesNotMatch(frames['pay'] ?? '', /event: simulation/);
});
