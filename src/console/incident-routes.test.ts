import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import type { Problem } from '../lib/errors.ts';
import type { Change } from '../model/incident.ts';
import {
  createFixture,
  keyedAuthorize,
  NOW_MS,
  sampleAnomaly,
  sampleIncident,
  sampleReport,
  stubStore,
} from './console.fixture.ts';
import { prefersMarkdown } from './report-routes.ts';

test('lists have no bounds in time unless given, and answer items and the next cursor', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject('/api/v1/anomalies?state=firing&service=cart');
  assert.deepEqual(answer.json(), { items: [sampleAnomaly], nextCursor: null });
  await fixture.app.inject('/api/v1/incidents?status=open&from=1&to=2&limit=3&cursor=c');
  await fixture.app.inject('/api/v1/changes');
  assert.deepEqual(fixture.calls, [
    ['list', 'anomaly', { service: 'cart', status: 'firing', limit: 100 }],
    ['list', 'incident', { status: 'open', cursor: 'c', fromMs: 1, toMs: 2, limit: 3 }],
    ['list', 'change', { limit: 100 }],
  ]);
});

test('one document is answered by its id, and an unknown id is not found', async () => {
  await using fixture = await createFixture();
  assert.deepEqual((await fixture.app.inject('/api/v1/incidents/inc-1')).json(), sampleIncident);
  for (const url of ['/api/v1/incidents/x', '/api/v1/anomalies/x', '/api/v1/changes/x', '/api/v1/incidents/x/report']) {
    const answer = await fixture.app.inject(url);
    assert.equal(answer.statusCode, 404, url);
    assert.equal(answer.json<Problem>().code, 'not_found');
  }
});

test('an unknown status is refused with the known ones', async () => {
  await using fixture = await createFixture();
  const problem = (await fixture.app.inject('/api/v1/incidents?status=opne')).json<Problem>();
  assert.equal(problem['field'], 'status');
  assert.match(problem.detail, /open, acknowledged, resolved; did you mean "open"/);
});

test('a report is JSON, or Markdown when asked for in either way', async () => {
  await using fixture = await createFixture();
  const url = '/api/v1/incidents/inc-1/report';
  const json = await fixture.app.inject(url);
  assert.deepEqual(json.json(), sampleReport);
  assert.equal(json.headers['vary'], 'accept');
  for (const request of [{ url: `${url}?format=markdown` }, { url, headers: { accept: 'text/markdown' } }]) {
    const markdown = await fixture.app.inject(request);
    assert.equal(markdown.headers['content-type'], 'text/markdown; charset=utf-8');
    assert.equal(markdown.body, sampleReport.markdown);
  }
  const both = await fixture.app.inject({ url: `${url}?format=json`, headers: { accept: 'text/markdown' } });
  assert.deepEqual(both.json(), sampleReport);
});

test('an incident whose report is not written yet says so', async () => {
  const store = stubStore([]);
  const get = ((kind: 'incident', id: string) =>
    kind === 'incident' ? store.get(kind, id) : Promise.resolve(undefined)) as typeof store.get;
  await using fixture = await createFixture({ store: { ...store, get } });
  const answer = await fixture.app.inject('/api/v1/incidents/inc-1/report');
  assert.equal(answer.statusCode, 404);
  assert.match(answer.json<Problem>().detail, /not written yet/);
});

test('Markdown is preferred by weight, and of equals by order', () => {
  assert.equal(prefersMarkdown(undefined), false);
  assert.equal(prefersMarkdown('*/*'), false);
  assert.equal(prefersMarkdown('text/markdown'), true);
  assert.equal(prefersMarkdown('text/markdown, application/json'), true);
  assert.equal(prefersMarkdown('application/json, text/markdown'), false);
  assert.equal(prefersMarkdown('application/json;q=0.5, text/markdown;q=0.9'), true);
  assert.equal(prefersMarkdown('text/markdown;q=0, */*;q=0.1'), false);
  assert.equal(prefersMarkdown('image/png'), false);
});

test('acknowledging and resolving name who did it: the body, else the key, else the API', async () => {
  await using open = await createFixture();
  const url = '/api/v1/incidents/inc-1/acknowledge';
  const post = { method: 'POST' as const, url };
  assert.deepEqual((await open.app.inject(post)).json(), sampleIncident);
  await open.app.inject({ ...post, headers: { 'content-type': 'application/json' }, payload: '' });
  await open.app.inject({ ...post, url: '/api/v1/incidents/inc-1/resolve', payload: { by: 'ada' } });
  assert.deepEqual(open.calls, [
    ['acknowledge', 'inc-1', 'api'],
    ['acknowledge', 'inc-1', 'api'],
    ['resolve', 'inc-1', 'ada'],
  ]);
  await using keyed = await createFixture({ authorize: keyedAuthorize });
  await keyed.app.inject({ ...post, headers: { 'x-api-key': 'respond' } });
  assert.deepEqual(keyed.calls, [['acknowledge', 'inc-1', 'respond']]);
});

test('a new normal is accepted or rejected by name, and by nothing else', async () => {
  await using fixture = await createFixture();
  const decide = (payload: object) => fixture.app.inject({ method: 'POST', url: '/api/v1/incidents/inc-1/new-normal', payload });
  assert.deepEqual((await decide({ decision: 'accept', by: 'ada' })).json(), sampleIncident);
  await decide({ decision: 'reject' });
  assert.deepEqual(fixture.calls, [
    ['accept', 'inc-1', 'ada'],
    ['reject', 'inc-1', 'api'],
  ]);
  assert.equal((await decide({ decision: 'maybe' })).statusCode, 400);
  assert.equal((await decide({})).statusCode, 400);
});

test('responding to an unknown incident is not found, and one whose status forbids it a conflict', async () => {
  const conflict = () => Promise.reject(new HeliosError('conflict', 'cannot resolve inc-1: it was merged into inc-2'));
  await using fixture = await createFixture({
    control: {
      acknowledge: () => Promise.resolve(undefined),
      resolve: conflict,
      decideNewNormal: conflict,
      recordChange: () => Promise.resolve(),
    },
  });
  const acknowledged = await fixture.app.inject({ method: 'POST', url: '/api/v1/incidents/x/acknowledge' });
  assert.equal(acknowledged.statusCode, 404);
  const resolved = await fixture.app.inject({ method: 'POST', url: '/api/v1/incidents/inc-1/resolve' });
  assert.equal(resolved.statusCode, 409);
  assert.match(resolved.json<Problem>().detail, /merged into inc-2/);
});

test('a change is recorded with defaults, and answered 201 with where to find it', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject({ method: 'POST', url: '/api/v1/changes', payload: { service: 'cart', version: '2' } });
  const change = answer.json<Change>();
  assert.equal(answer.statusCode, 201);
  assert.equal(answer.headers.location, `/api/v1/changes/${change.id}`);
  assert.deepEqual(change, {
    id: change.id,
    at: new Date(NOW_MS).toISOString(),
    service: 'cart',
    type: 'deployment',
    version: '2',
    previousVersion: null,
    description: '',
    source: 'api',
  });
  assert.deepEqual(fixture.calls, [['recordChange', change]]);
});

test('the same change posted again has the same id, another one another', async () => {
  await using fixture = await createFixture();
  const post = async (payload: object): Promise<string> =>
    (await fixture.app.inject({ method: 'POST', url: '/api/v1/changes', payload })).json<Change>().id;
  const first = await post({ service: 'cart', version: '2', at: '2025-10-08T10:00:00Z' });
  assert.match(first, /^chg-[0-9a-f]{16}$/);
  assert.equal(await post({ service: 'cart', version: '2', at: Date.UTC(2025, 9, 8, 10) }), first);
  assert.notEqual(await post({ service: 'cart', version: '3', at: '2025-10-08T10:00:00Z' }), first);
});

test('a malformed change is refused with the field at fault', async () => {
  await using fixture = await createFixture();
  const cases: [object, string][] = [
    [{}, 'service'],
    [{ service: '' }, 'service'],
    [{ service: 'x'.repeat(400) }, 'service'],
    [{ service: 'cart', type: 'deploy' }, 'type'],
    [{ service: 'cart', at: 'soon' }, 'at'],
    [{ service: 'cart', at: 1e300 }, 'at'],
    [{ service: 'cart', version: 7 }, 'version'],
    [{ service: 'cart', description: 'x'.repeat(5000) }, 'description'],
    [{ service: 'cart', versoin: '1' }, 'versoin'],
    [[], 'body'],
  ];
  for (const [payload, field] of cases) {
    const answer = await fixture.app.inject({ method: 'POST', url: '/api/v1/changes', payload });
    assert.equal(answer.statusCode, 400, JSON.stringify(payload));
    assert.equal(answer.json<Problem>()['field'], field);
  }
  assert.deepEqual(fixture.calls, []);
});

test('a key bound to services records changes of those only', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const request = { method: 'POST' as const, url: '/api/v1/changes', headers: { 'x-api-key': 'cart-responder' } };
  assert.equal((await fixture.app.inject({ ...request, payload: { service: 'cart' } })).statusCode, 201);
  const refused = await fixture.app.inject({ ...request, payload: { service: 'payment' } });
  assert.equal(refused.statusCode, 403);
  assert.equal(refused.json<Problem>()['field'], 'service');
});
