import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixture, keyedAuthorize, NOW_MS, sampleReport, stubStore } from './console.fixture.ts';

test('reports are searched by text, verdict, service and time', async () => {
  await using fixture = await createFixture();
  const query = `text=slow+checkout&verdict=LIKELY&service=cart&from=${NOW_MS - 1000}&to=${NOW_MS}&limit=5&cursor=abc`;
  const answer = await fixture.app.inject(`/api/v1/reports?${query}`);
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), { items: [sampleReport], nextCursor: null });
  const asked = { text: 'slow checkout', verdict: 'LIKELY', service: 'cart', cursor: 'abc', limit: 5 };
  assert.deepEqual(fixture.calls, [['list', 'report', { ...asked, fromMs: NOW_MS - 1000, toMs: NOW_MS }]]);
});

test('a search that asks for something else names the field', async () => {
  await using fixture = await createFixture();
  for (const [query, field] of [
    ['verdict=SURE', 'verdict'],
    ['limit=0', 'limit'],
    ['from=yesterday', 'from'],
    [`text=${'x'.repeat(1001)}`, 'text'],
    ['query=slow', 'query'],
    ['from=2025-10-09&to=2025-10-08', 'from'],
  ]) {
    const answer = await fixture.app.inject(`/api/v1/reports?${query}`);
    assert.deepEqual([answer.statusCode, answer.json<{ field: string }>().field], [400, field], query);
  }
});

test('a report is answered in the version asked for, and one that is not there is said to be missing', async () => {
  const calls: unknown[] = [];
  const store = {
    ...stubStore([]),
    get: (kind: string, key: string, version?: number) => {
      calls.push([kind, key, version]);
      const isThere = kind === 'incident' || version === undefined || version < 3;
      return Promise.resolve((isThere ? { ...sampleReport, version: version ?? 2 } : undefined) as never);
    },
  };
  await using fixture = await createFixture({ store });
  const version = async (query: string): Promise<unknown> => {
    const answer = await fixture.app.inject(`/api/v1/incidents/inc-1/report${query}`);
    const body = answer.json<{ version?: number; field?: string }>();
    return [answer.statusCode, body.version ?? body.field];
  };
  assert.deepEqual(await version(''), [200, 2]);
  assert.deepEqual(await version('?version=1'), [200, 1]);
  assert.deepEqual(await version('?version=3'), [404, 'version']);
  for (const wrong of ['0', '1.5', 'latest', '9999999999']) {
    assert.deepEqual(await version(`?version=${wrong}`), [400, 'version'], wrong);
  }
  assert.deepEqual(calls.slice(0, 2), [
    ['report', 'inc-1', undefined],
    ['report', 'inc-1', 1],
  ]);
});

test('a report is exported as one Markdown file named after its incident and version', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject('/api/v1/incidents/inc-1/report.md');
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['content-type'], 'text/markdown; charset=utf-8');
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="incident-inc-1-v1.md"');
  assert.equal(answer.body, sampleReport.markdown);
  assert.equal((await fixture.app.inject('/api/v1/incidents/nothing/report.md')).statusCode, 404);
});

test('reports are for keys that may read', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  for (const url of ['/api/v1/reports', '/api/v1/incidents/inc-1/report.md']) {
    const status = async (key: string): Promise<number> =>
      (await fixture.app.inject({ url, headers: { 'x-api-key': key } })).statusCode;
    assert.deepEqual([await status('read'), await status('ingest')], [200, 403], url);
  }
});
