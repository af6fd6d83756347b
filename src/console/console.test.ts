import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Problem } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createProcessApp } from './console.ts';
import { createFixture, keyedAuthorize, stubStore } from './console.fixture.ts';
import type { ServiceSummary } from '../store/store.ts';
import type { ConsoleDependencies } from './dependencies.ts';

/** Dependencies whose list of services is this. */
function withServices(answer: Promise<ServiceSummary[]>): Partial<ConsoleDependencies> {
  answer.catch(() => {});
  return { store: { ...stubStore([]), services: () => answer } };
}

test('health, version and the index are plain facts', async () => {
  await using fixture = await createFixture();
  assert.deepEqual((await fixture.app.inject('/healthz')).json(), { status: 'ok' });
  assert.deepEqual((await fixture.app.inject('/version')).json(), { name: 'helios', version: '1.2.3', node: process.version });
  assert.equal((await fixture.app.inject('/')).json<{ links: { openapi: string } }>().links.openapi, '/openapi.json');
  const metrics = await fixture.app.inject('/metrics');
  assert.equal(metrics.body, 'helios_up 1\n');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
});

test('readiness is 200 when ready and 503 with the reasons when not', async () => {
  const reasons = [{ name: 'log', reason: 'the disk is full' }];
  await using ready = await createFixture();
  assert.equal((await ready.app.inject('/readyz')).statusCode, 200);
  await using unready = await createFixture({ readiness: () => ({ ready: false, reasons }) });
  const answer = await unready.app.inject('/readyz');
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json(), { ready: false, reasons });
});

test('each route asks for its role, and some for none', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const status = async (method: 'GET' | 'POST', url: string, key?: string): Promise<number> => {
    const headers = key === undefined ? {} : { 'x-api-key': key };
    return (await fixture.app.inject({ method, url, headers })).statusCode;
  };
  for (const url of ['/', '/healthz', '/readyz', '/version', '/openapi.json']) assert.equal(await status('GET', url), 200, url);
  for (const url of ['/metrics', '/api/v1/services', '/api/v1/incidents/inc-1', '/api/v1/models', '/api/v1/stream']) {
    assert.equal(await status('GET', url), 401, url);
    assert.equal(await status('GET', url, 'ingest'), 403, url);
  }
  assert.equal(await status('GET', '/api/v1/services', 'read'), 200);
  assert.equal(await status('POST', '/api/v1/incidents/inc-1/resolve', 'read'), 403);
  assert.equal(await status('POST', '/api/v1/incidents/inc-1/resolve', 'respond'), 200);
  assert.equal(await status('POST', '/api/v1/changes', 'read'), 403);
  assert.equal(await status('POST', '/api/v1/models/train', 'respond'), 403);
  assert.equal(await status('POST', '/api/v1/models/v1/activate', 'respond'), 403);
  assert.equal(await status('POST', '/api/v1/models/train', 'admin'), 200);
});

test('a request without a key is told how to send one, before its parameters are judged', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const answer = await fixture.app.inject('/api/v1/events?limit=0');
  assert.equal(answer.statusCode, 401);
  assert.equal(answer.headers['www-authenticate'], 'Bearer realm="helios"');
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  assert.equal(answer.json<Problem>().code, 'unauthenticated');
});

test('an unknown path is 404, a known one with another method 405 with Allow, whatever the body', async () => {
  await using fixture = await createFixture();
  const payload = '{"broken';
  const headers = { 'content-type': 'application/json' };
  const unknown = await fixture.app.inject({ method: 'POST', url: '/api/v1/nothing?x=1', headers, payload });
  assert.equal(unknown.statusCode, 404);
  assert.equal(unknown.json<Problem>().code, 'not_found');
  const wrong = await fixture.app.inject({ method: 'PUT', url: '/api/v1/changes', headers, payload });
  assert.equal(wrong.statusCode, 405);
  assert.equal(wrong.headers.allow, 'GET, HEAD, POST');
  assert.equal(wrong.json<Problem>().code, 'method_not_allowed');
  const parameter = await fixture.app.inject({ method: 'DELETE', url: '/api/v1/incidents/inc-1/acknowledge' });
  assert.equal(parameter.headers.allow, 'POST');
});

test('bodies that cannot be read have their own status each', async () => {
  await using fixture = await createFixture();
  const post = async (type: string, payload: string): Promise<[number, string]> => {
    const headers = { 'content-type': type };
    const answer = await fixture.app.inject({ method: 'POST', url: '/api/v1/changes', headers, payload });
    return [answer.statusCode, answer.json<Problem>().code];
  };
  assert.deepEqual(await post('application/json', '{"service":'), [400, 'invalid_json']);
  assert.deepEqual(await post('application/json', '{"__proto__":{},"service":"a"}'), [400, 'invalid_json']);
  assert.deepEqual(await post('application/json', ''), [400, 'invalid_argument']);
  assert.deepEqual(await post('application/json', 'null'), [400, 'invalid_argument']);
  assert.deepEqual(await post('application/xml', '<a/>'), [415, 'unsupported_media_type']);
  assert.deepEqual(await post('???', '{}'), [415, 'unsupported_media_type']);
  assert.deepEqual(await post('application/json', `"${'x'.repeat(2 ** 20)}"`), [413, 'too_large']);
  assert.equal((await post('application/x-www-form-urlencoded', '{"service":"cart"}'))[0], 201);
  assert.equal((await post('application/json; charset=utf-8', '{"service":"cart"}'))[0], 201);
});

test('a malformed path is refused as a problem', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject('/api/v1/incidents/%zz');
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json<Problem>().code, 'invalid_argument');
});

test('pages of another origin may read nothing more than before and change nothing', async () => {
  await using fixture = await createFixture();
  const post = async (headers: Record<string, string>): Promise<number> =>
    (await fixture.app.inject({ method: 'POST', url: '/api/v1/incidents/inc-1/resolve', headers })).statusCode;
  assert.equal(await post({ host: 'localhost:8080', origin: 'http://localhost:8080' }), 200);
  assert.equal(await post({ host: 'localhost:8080' }), 200);
  assert.equal(await post({ host: 'localhost:8080', origin: 'http://example.com' }), 403);
  assert.equal(await post({ host: 'localhost:8080', origin: 'null' }), 403);
});

test('an unexpected failure is told by an id that the log has too, without its stack', async () => {
  const logged: Record<string, unknown>[] = [];
  const ignore = () => {};
  const error = (_message: string, fields: Record<string, unknown> = {}) => void logged.push(fields);
  await using fixture = await createFixture({
    ...withServices(Promise.reject(new Error('secret detail'))),
    logger: { debug: ignore, info: ignore, warn: ignore, error },
  });
  const answers = [await fixture.app.inject('/api/v1/services'), await fixture.app.inject('/api/v1/services')];
  const ids = answers.map((answer) => answer.json<Problem>()['id']);
  assert.deepEqual(
    answers.map((answer) => answer.statusCode),
    [500, 500],
  );
  assert.notEqual(ids[0], ids[1]);
  assert.deepEqual(
    logged.map((fields) => fields['id']),
    ids,
  );
  assert.match(String(logged[0]?.['error']), /secret detail/);
  for (const answer of answers) assert.doesNotMatch(answer.body, /secret|\.ts/);
});

test('a failure that was foreseen keeps its code, and a busy one says when to retry', async () => {
  const failing = async (failure: HeliosError) => {
    const services = Promise.reject<ServiceSummary[]>(failure);
    await using fixture = await createFixture(withServices(services));
    return fixture.app.inject('/api/v1/services');
  };
  const gone = await failing(
    new HeliosError('gone', 'cannot go on: retention has passed the cursor', { details: { field: 'cursor' } }),
  );
  assert.equal(gone.statusCode, 410);
  assert.equal(gone.headers['retry-after'], undefined);
  assert.equal(gone.json<Problem>()['field'], 'cursor');
  const busy = await failing(
    new HeliosError('unavailable', 'cannot read: the store restarts', { details: { retryAfterSeconds: 2.5 } }),
  );
  assert.equal(busy.statusCode, 503);
  assert.equal(busy.headers['retry-after'], '3');
  assert.equal((await failing(new HeliosError('overloaded', 'cannot read'))).headers['retry-after'], '1');
});

test('a query that takes longer than the limit is answered 503', async () => {
  await using fixture = await createFixture(withServices(new Promise(() => {})));
  const answer = fixture.app.inject('/api/v1/services').then((response) => response);
  while (fixture.clock.pendingTimers === 0) await new Promise(setImmediate);
  fixture.clock.advance(30_000);
  const { statusCode, headers, json } = await answer;
  assert.equal(statusCode, 503);
  assert.equal(headers['retry-after'], '5');
  assert.equal(json<Problem>().code, 'unavailable');
});

test('requests are counted by route pattern and status', async () => {
  const counted: unknown[] = [];
  const observed: unknown[] = [];
  const metrics = {
    add: (_: unknown, value: number, labels: unknown) => void counted.push([value, labels]),
    set: () => {},
    observe: (_: unknown, value: number, labels: unknown) => void observed.push([value >= 0, labels]),
  };
  await using fixture = await createFixture({ metrics });
  await fixture.app.inject('/api/v1/incidents/inc-1');
  await fixture.app.inject('/nowhere');
  assert.deepEqual(counted, [
    [1, { method: 'GET', route: '/api/v1/incidents/:id', status: '200' }],
    [1, { method: 'GET', route: 'unmatched', status: '404' }],
  ]);
  assert.deepEqual(observed, [
    [true, { route: '/api/v1/incidents/:id' }],
    [true, { route: 'unmatched' }],
  ]);
});

test('answers tell browsers not to guess their type', async () => {
  await using fixture = await createFixture();
  for (const url of ['/healthz', '/nowhere']) {
    assert.equal((await fixture.app.inject(url)).headers['x-content-type-options'], 'nosniff', url);
  }
});

test('a compressed body is refused by name, for only posted events may be', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject({
    method: 'POST',
    url: '/api/v1/changes',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    payload: '{"service":"cart"}',
  });
  assert.equal(answer.statusCode, 415);
  assert.equal(answer.json<Problem>()['field'], 'Content-Encoding');
});

test('a process without the console answers for itself, and says where queries and data go', async () => {
  const app = await createProcessApp({
    authorize: keyedAuthorize,
    clock: systemClock,
    logger: silentLogger,
    metrics: silentMetrics,
    version: '1.2.3',
    readiness: () => ({ ready: true, reasons: [] }),
    renderMetrics: () => Promise.resolve(''),
  });
  assert.equal((await app.inject('/readyz')).statusCode, 200);
  for (const url of ['/api/v1/incidents', '/v1/logs']) {
    const answer = await app.inject(url);
    assert.equal(answer.statusCode, 404);
    assert.match(answer.json<Problem>().detail, /data goes to one that plays ingest, queries to one that plays console/);
  }
  await app.close();
});
