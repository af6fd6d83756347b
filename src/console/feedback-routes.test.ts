import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixture, keyedAuthorize } from './console.fixture.ts';
import { sampleFeedback, samplePreview } from './feedback.fixture.ts';

const PATH = '/api/v1/incidents/inc-1/feedback';

test('what a person says reaches the service as it was said, and comes back with what it changed', async () => {
  await using fixture = await createFixture();
  const payload = { label: 'expected', by: 'ada', note: 'backup', scope: { hours: { from: 2, to: 4 } } };
  const answer = await fixture.app.inject({ method: 'POST', url: PATH, payload });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), { feedback: sampleFeedback, preview: samplePreview });
  assert.deepEqual(fixture.calls.at(-1), ['label', 'inc-1', payload]);
});

test('a question in the body or the query only asks', async () => {
  await using fixture = await createFixture();
  for (const [url, payload] of [
    [PATH, { label: 'false_alarm', preview: true }],
    [`${PATH}?preview=true`, { label: 'false_alarm' }],
  ] as const) {
    const answer = await fixture.app.inject({ method: 'POST', url, payload });
    assert.equal(answer.json<{ feedback: unknown }>().feedback, null);
    assert.deepEqual(fixture.calls.at(-1), ['preview', 'inc-1', { label: 'false_alarm', by: 'api' }]);
  }
});

test('saying needs the role respond, reading the role read, and the key is who said it', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const post = (key: string) =>
    fixture.app.inject({ method: 'POST', url: PATH, payload: { label: 'real' }, headers: { 'x-api-key': key } });
  assert.equal((await post('read')).statusCode, 403);
  assert.equal((await post('respond')).statusCode, 200);
  assert.deepEqual(fixture.calls.at(-1), ['label', 'inc-1', { label: 'real', by: 'respond' }]);
  const remove = { method: 'DELETE', url: '/api/v1/feedback/inc-1.1' } as const;
  assert.equal((await fixture.app.inject({ ...remove, headers: { 'x-api-key': 'read' } })).statusCode, 403);
  assert.equal((await fixture.app.inject({ url: PATH, headers: { 'x-api-key': 'read' } })).statusCode, 200);
});

test('an unknown incident, feedback or label is refused', async () => {
  await using fixture = await createFixture();
  const url = '/api/v1/incidents/inc-9/feedback';
  assert.equal((await fixture.app.inject({ method: 'POST', url, payload: { label: 'real' } })).statusCode, 404);
  assert.equal((await fixture.app.inject({ method: 'DELETE', url: '/api/v1/feedback/inc-1.9' })).statusCode, 404);
  assert.equal((await fixture.app.inject({ method: 'POST', url: PATH, payload: { label: 'fine' } })).statusCode, 400);
  const hours = { label: 'expected', scope: { hours: { from: 2, to: 24 } } };
  assert.equal((await fixture.app.inject({ method: 'POST', url: PATH, payload: hours })).statusCode, 400);
});

test('the list is paged, filtered, and exported a line each', async () => {
  await using fixture = await createFixture();
  const page = await fixture.app.inject('/api/v1/feedback?label=expected&service=cart&from=2025-10-01&to=2025-11-01&limit=1');
  assert.deepEqual(page.json(), { items: [sampleFeedback], nextCursor: null });
  const range = { fromMs: Date.UTC(2025, 9, 1), toMs: Date.UTC(2025, 10, 1) };
  assert.deepEqual(fixture.calls.at(-1), ['feedback', { label: 'expected', service: 'cart', ...range }]);
  const exported = await fixture.app.inject('/api/v1/feedback/export');
  assert.match(String(exported.headers['content-type']), /^application\/x-ndjson/);
  assert.deepEqual(exported.body, `${JSON.stringify(sampleFeedback)}\n`);
});

test('a missed fault has a time that goes forward', async () => {
  await using fixture = await createFixture();
  const url = '/api/v1/feedback/missed';
  const [from, to] = ['2025-10-08T10:00:00Z', '2025-10-08T12:10:00+02:00'];
  const answer = await fixture.app.inject({ method: 'POST', url, payload: { service: 'cart', from, to, by: 'ada' } });
  assert.equal(answer.statusCode, 200);
  const range = { fromMs: Date.UTC(2025, 9, 8, 10), toMs: Date.UTC(2025, 9, 8, 10, 10) };
  assert.deepEqual(fixture.calls.at(-1), ['missed', { service: 'cart', ...range, by: 'ada' }]);
  const reversed = { service: 'cart', from: to, to: from };
  assert.equal((await fixture.app.inject({ method: 'POST', url, payload: reversed })).statusCode, 400);
});
