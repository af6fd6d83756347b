import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import type { Problem } from '../lib/errors.ts';
import { createFixture, sampleComparison, sampleGrid, sampleModel } from './console.fixture.ts';

test('training takes a service and a range, or nothing at all', async () => {
  await using fixture = await createFixture();
  const train = { method: 'POST' as const, url: '/api/v1/models/train' };
  const answer = await fixture.app.inject({ ...train, payload: { service: 'cart', from: '2025-10-01', to: '2025-10-02' } });
  assert.deepEqual(answer.json(), { items: [sampleModel], nextCursor: null, grid: null });
  assert.equal((await fixture.app.inject(train)).statusCode, 200);
  const searched = await fixture.app.inject({ ...train, payload: { grid: true } });
  assert.deepEqual(searched.json<{ grid: unknown }>().grid, sampleGrid);
  const range = { fromMs: Date.UTC(2025, 9, 1), toMs: Date.UTC(2025, 9, 2) };
  assert.deepEqual(fixture.calls, [
    ['train', { service: 'cart', ...range }],
    ['train', {}],
    ['train', { grid: true }],
  ]);
});

test('a prediction passes on the features by name', async () => {
  await using fixture = await createFixture();
  const payload = { service: 'cart', features: { event_count: 5, error_rate: 0.5 } };
  const answer = await fixture.app.inject({ method: 'POST', url: '/api/v1/models/predict', payload });
  assert.equal(answer.json<{ isAnomaly: boolean }>().isAnomaly, true);
  assert.deepEqual(fixture.calls, [['predict', payload]]);
});

test('features that do not exist, or are no numbers, are refused', async () => {
  await using fixture = await createFixture();
  const cases: [string, string, RegExp][] = [
    ['{"service":"cart","features":{"event_cout":5}}', 'features.event_cout', /did you mean "event_count"/],
    ['{"service":"cart","features":{"event_count":"5"}}', 'features.event_count', /number/],
    ['{"service":"cart","features":{"event_count":1e999}}', 'features.event_count', /number/],
    ['{"service":"cart","features":[]}', 'features', /./],
    ['{"features":{}}', 'service', /./],
  ];
  for (const [payload, field, detail] of cases) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fixture.app.inject({ method: 'POST', url: '/api/v1/models/predict', headers, payload });
    assert.equal(answer.statusCode, 400, payload);
    assert.equal(answer.json<Problem>()['field'], field);
    assert.match(answer.json<Problem>().detail, detail);
  }
});

test('a service without a model, and an unknown version, are not found', async () => {
  const missing = () => Promise.reject(new HeliosError('not_found', 'cannot predict: cart has no active model'));
  await using fixture = await createFixture({
    models: {
      train: () => Promise.resolve({ models: [], grid: null }),
      rollBack: missing,
      compare: missing,
      predict: missing,
      list: () => Promise.resolve([]),
      metrics: () => Promise.resolve([]),
      activate: missing,
    },
  });
  const predicted = await fixture.app.inject({
    method: 'POST',
    url: '/api/v1/models/predict',
    payload: { service: 'a', features: {} },
  });
  assert.equal(predicted.statusCode, 404);
  assert.equal((await fixture.app.inject({ method: 'POST', url: '/api/v1/models/v9/activate' })).statusCode, 404);
  assert.deepEqual((await fixture.app.inject('/api/v1/models')).json(), { items: [], nextCursor: null });
});

test('models are listed, measured and activated', async () => {
  await using fixture = await createFixture();
  assert.deepEqual((await fixture.app.inject('/api/v1/models')).json(), { items: [sampleModel], nextCursor: null });
  const [measured] = (await fixture.app.inject('/api/v1/models/metrics')).json<{ items: { trainingWindows: number }[] }>().items;
  assert.equal(measured?.trainingWindows, 300);
  assert.deepEqual((await fixture.app.inject({ method: 'POST', url: '/api/v1/models/v1/activate' })).json(), sampleModel);
  assert.equal((await fixture.app.inject({ method: 'POST', url: '/api/v1/models/latest/activate' })).statusCode, 400);
  assert.deepEqual(fixture.calls.at(-1), ['activate', 'v1']);
});

test('a service is rolled back, and two versions are compared over a range with labels', async () => {
  await using fixture = await createFixture();
  const post = (path: string, payload: object) => fixture.app.inject({ method: 'POST', url: `/api/v1/models/${path}`, payload });
  assert.deepEqual((await post('rollback', { service: 'cart' })).json(), sampleModel);
  const labels = [{ from: '2025-10-01', to: '2025-10-02' }];
  const answer = await post('compare', { versions: ['v1', 'v2'], from: '2025-10-01', labels });
  assert.deepEqual(answer.json(), sampleComparison);
  const [fromMs, toMs] = [Date.UTC(2025, 9, 1), Date.UTC(2025, 9, 2)];
  assert.deepEqual(fixture.calls, [
    ['rollBack', 'cart'],
    ['compare', { versions: ['v1', 'v2'], fromMs, labels: [{ fromMs, toMs }] }],
  ]);
  for (const versions of [['v1'], ['v1', 'v2', 'v3'], ['v1', 'latest'], 'v1']) {
    assert.equal((await post('compare', { versions })).statusCode, 400, String(versions));
  }
});
