import assert from 'node:assert/strict';
import test from 'node:test';
import type { Calls } from './simulation.fixture.ts';
import { createFixture, NOW_MS } from './console.fixture.ts';

async function ask(url: string): Promise<{ status: number; body: Record<string, unknown>; calls: Calls }> {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject(url);
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>(), calls: fixture.calls };
}

const HOUR = { fromMs: NOW_MS - 3_540_000, toMs: NOW_MS + 60_000 };
const FEATURE = { name: 'error_rate', labels: { service: 'cart' }, unit: 'ratio', points: [[HOUR.fromMs, 0.5]] };

test('a name that is no feature is that of received series, whose labels hold what they belong to', async () => {
  const { body, calls } = await ask('/api/v1/metrics?name=queue.depth&service=cart&step=1m&label.queue=a&label.host=');
  const filter = { names: ['queue.depth'], labels: { queue: 'a', host: '' }, service: 'cart' };
  assert.deepEqual(calls, [['points', { ...HOUR, step: 60_000, ...filter }]]);
  const labels = { queue: 'a', service: 'cart', environment: 'prod' };
  const points = [
    [HOUR.fromMs, 3],
    [HOUR.fromMs + 1, null],
  ]; // a value that JSON lacks is none
  assert.deepEqual(body, { step: 60_000, series: [{ name: 'queue.depth', labels, unit: '1', points }] });
});

test('features and received series are answered together', async () => {
  const { body, calls } = await ask('/api/v1/metrics?name=error_rate,queue.depth');
  assert.deepEqual(
    calls.map(([name]) => name),
    ['metrics', 'points'],
  );
  const series = body['series'] as { name: string }[];
  assert.deepEqual(series[0], FEATURE);
  assert.deepEqual(
    series.map(({ name }) => name),
    ['error_rate', 'queue.depth'],
  );
});

test('without a name it is all features, or with source=received all received series', async () => {
  assert.deepEqual((await ask('/api/v1/metrics?step=1m')).calls, [['metrics', { ...HOUR, names: [], stepMs: 60_000 }]]);
  const received = await ask('/api/v1/metrics?step=1m&source=received');
  assert.deepEqual(received.calls, [['points', { ...HOUR, step: 60_000, names: [], labels: {} }]]);
  const named = await ask('/api/v1/metrics?step=1m&source=received&name=error_rate');
  assert.deepEqual(named.calls, [['points', { ...HOUR, step: 60_000, names: ['error_rate'], labels: {} }]]);
});

test('step=raw answers points as they were sent, and is refused for features', async () => {
  const { body, calls } = await ask('/api/v1/metrics?name=queue.depth&step=raw&from=0&to=86400000000');
  assert.deepEqual(calls, [['points', { fromMs: 0, toMs: 86_400_000_000, step: 'raw', names: ['queue.depth'], labels: {} }]]);
  assert.equal(body['step'], 'raw');
  assert.deepEqual((body['series'] as { points: unknown }[])[0]?.points, [
    [0, 3],
    [1, 'NaN'],
  ]);
  for (const url of ['/api/v1/metrics?step=raw', '/api/v1/metrics?step=raw&name=error_rate,queue.depth']) {
    const refused = await ask(url);
    assert.deepEqual([refused.status, refused.body['field'], refused.calls], [400, 'step', []]);
  }
});

test('a name that nobody sent and that is nearly a feature is refused and the feature named', async () => {
  const { status, body } = await ask('/api/v1/metrics?name=eror_rate');
  assert.deepEqual([status, body['field']], [400, 'name']);
  assert.match(body['detail'] as string, /did you mean "error_rate"/);
  assert.equal((await ask('/api/v1/metrics?name=eror_rate&source=received')).status, 200);
  assert.equal((await ask('/api/v1/metrics?name=nothing.like.it')).status, 200);
});

test('series are listed by name, service and labels, in pages', async () => {
  const { body, calls } = await ask('/api/v1/series?name=queue.depth&service=cart&label.queue=a&limit=7&cursor=c');
  assert.deepEqual(calls, [
    ['series', { names: ['queue.depth'], labels: { queue: 'a' }, service: 'cart', limit: 7, cursor: 'c' }],
  ]);
  const [item] = body['items'] as Record<string, unknown>[];
  assert.deepEqual(
    [item?.['name'], item?.['kind'], item?.['labels'], body['nextCursor']],
    ['queue.depth', 'gauge', { queue: 'a' }, null],
  );
});

test('other parameters are refused as everywhere, and so is a label given twice or without a name', async () => {
  for (const [url, field, detail] of [
    ['/api/v1/series?nme=a', 'nme', /did you mean "name"/],
    ['/api/v1/metrics?servce=a', 'servce', /did you mean "service"/],
    ['/api/v1/metrics?label.=a', 'label.', /unknown "label\."/],
    ['/api/v1/metrics?label.a=1&label.a=2', 'label.a', /more than once/],
    ['/api/v1/metrics?source=sent', 'source', /must be one of received/],
    ['/api/v1/metrics?name=', 'name', /./],
  ] as const) {
    const { status, body, calls } = await ask(url);
    assert.deepEqual([status, body['field'], calls], [400, field, []], url);
    assert.match(body['detail'] as string, detail);
  }
});
