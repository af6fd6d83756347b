import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import type { Calls } from './simulation.fixture.ts';
import { createFixture, NOW_MS } from './console.fixture.ts';

async function ask(url: string): Promise<{ status: number; body: Problem; calls: Calls }> {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject(url);
  return { status: answer.statusCode, body: answer.json<Problem>(), calls: fixture.calls };
}

/** Asserts 400 `invalid_argument` with this field, and a detail that matches. */
async function assertRefused(url: string, field: string, detail: RegExp): Promise<void> {
  const { status, body, calls } = await ask(url);
  assert.equal(status, 400, url);
  assert.equal(body.code, 'invalid_argument');
  assert.equal(body['field'], field, url);
  assert.match(body.detail, detail);
  assert.deepEqual(calls, []);
}

const HOUR = { fromMs: NOW_MS - 3_540_000, toMs: NOW_MS + 60_000 };

test('metrics are asked with names, service, range and step, and answer points as [ms, value]', async () => {
  const range = 'from=2025-10-08T10:00:00Z&to=1759919460000';
  const { body, calls } = await ask(`/api/v1/metrics?service=cart&name=error_rate,p95_latency&name=event_count&${range}&step=1m`);
  const query = {
    fromMs: Date.UTC(2025, 9, 8, 10),
    toMs: 1_759_919_460_000,
    names: ['error_rate', 'p95_latency', 'event_count'],
    stepMs: 60_000,
    service: 'cart',
  };
  assert.deepEqual(calls, [['metrics', query]]);
  assert.deepEqual<unknown>(body, {
    step: 60_000,
    series: [{ name: 'error_rate', labels: { service: 'cart' }, unit: 'ratio', points: [[query.fromMs, 0.5]] }],
  });
});

test('metrics without parameters are all features of all services over the last hour', async () => {
  const { calls } = await ask('/api/v1/metrics');
  assert.deepEqual(calls, [['metrics', { ...HOUR, names: [], stepMs: 30_000 }]]);
});

test('services and templates are of the last hour unless a range is given', async () => {
  assert.deepEqual((await ask('/api/v1/services')).calls, [['services', HOUR]]);
  assert.deepEqual((await ask('/api/v1/services?from=1&to=2')).calls, [['services', { fromMs: 1, toMs: 2 }]]);
  assert.deepEqual((await ask('/api/v1/templates?service=cart&limit=5')).calls, [
    ['templates', { ...HOUR, limit: 5, service: 'cart' }],
  ]);
});

test('events are asked with every filter, levels in any spelling', async () => {
  const { body, calls } = await ask(
    '/api/v1/events?service=cart&level=error,warning&level=FATAL&text=time%20out&endpoint=/a&from=1&to=2&limit=7&cursor=c',
  );
  const filters = { service: 'cart', text: 'time out', endpoint: '/a', limit: 7, cursor: 'c' };
  assert.deepEqual(calls, [['events', { ...filters, levels: [4, 3, 5], fromMs: 1, toMs: 2 }]]);
  assert.equal(body['nextCursor'], 'next');
});

test('events without a range are those since an hour ago, up to the newest', async () => {
  const { calls } = await ask('/api/v1/events');
  assert.deepEqual(calls, [['events', { limit: 100, levels: [], fromMs: HOUR.fromMs }]]);
});

test('an unknown parameter is refused and the nearest known one named', async () => {
  await assertRefused('/api/v1/events?servce=cart', 'servce', /did you mean "service"/);
  await assertRefused('/api/v1/events?xyzxyzxyz=1', 'xyzxyzxyz', /known are service, level/);
  await assertRefused('/api/v1/models?limit=1', 'limit', /none is taken here/);
});

test('a malformed parameter is refused with its name and the reason', async () => {
  await assertRefused('/api/v1/events?limit=0', 'limit', /from 1 to 1000/);
  await assertRefused('/api/v1/events?limit=1001', 'limit', /from 1 to 1000/);
  await assertRefused('/api/v1/events?limit=ten', 'limit', /whole number/);
  await assertRefused('/api/v1/events?limit=1.5', 'limit', /whole number/);
  await assertRefused('/api/v1/events?from=yesterday', 'from', /"yesterday" is neither/);
  await assertRefused('/api/v1/events?level=LOUD', 'level', /"LOUD" is not a level/);
  await assertRefused('/api/v1/events?service=', 'service', /./);
  await assertRefused('/api/v1/events?service=a&service=b', 'service', /string/);
  await assertRefused('/api/v1/metrics?step=15s', 'step', /a multiple of 10 s/);
  await assertRefused('/api/v1/metrics?step=0', 'step', /a multiple of 10 s/);
  await assertRefused('/api/v1/metrics?step=none', 'step', /a multiple of 10 s/);
  await assertRefused('/api/v1/metrics?from=0&step=10s', 'step', /11000 steps/);
  await assertRefused('/api/v1/metrics?from=5&to=5', 'from', /not earlier/);
});

test('several faults are all listed', async () => {
  const { body } = await ask('/api/v1/events?limit=0&from=x');
  assert.deepEqual((body['errors'] as { field: string }[]).map((fault) => fault.field).toSorted(), ['from', 'limit']);
});

test('no query string whatever makes anything but an answer or a refusal', async () => {
  await using fixture = await createFixture();
  const prng = createPrng(20251008);
  const keys = ['service', 'name', 'level', 'from', 'to', 'step', 'limit', 'cursor', 'text', 'x', '__proto__', ''];
  const values = [
    '',
    '0',
    '-1',
    '1e999',
    'NaN',
    '10s',
    '1m',
    '2025-10-08',
    '2025-10-08T10:00:00Z',
    'error',
    'p95_latency',
    '%00',
    '%ff',
    'a,b',
    'é',
  ];
  const paths = ['services', 'metrics', 'events', 'templates', 'anomalies', 'incidents', 'changes', 'models', 'stream/'];
  const statuses = new Set<number>();
  for (let i = 0; i < 500; i++) {
    const pairs = Array.from(
      { length: prng.below(4) },
      () => `${keys[prng.below(keys.length)]}=${values[prng.below(values.length)]}`,
    );
    const url = `/api/v1/${paths[prng.below(paths.length)]}?${pairs.join('&')}`;
    const { statusCode } = await fixture.app.inject(url);
    assert.ok([200, 400, 404].includes(statusCode), `${url} answered ${statusCode}`);
    statuses.add(statusCode);
  }
  assert.deepEqual(
    [...statuses].toSorted((a, b) => a - b),
    [200, 400, 404],
  );
});
