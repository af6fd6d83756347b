import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getJson, getMetrics, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import { assertCleanEnd, assertUnharmed, eventOf, residentMiB } from './watched-server.ts';

const NAMES = 100_000;
const directory = temporaryDirectory();
let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const ODD_VALUES = [
  "'%20OR%201=1%20--",
  'a'.repeat(10_000),
  ' 0 -1 1 1.5 1e999 NaN Infinity null [] 99999999999999999999 0x10 +1 1001 __proto__'.split(' '),
  '%00 %ff % %zz %F0%9F%92%A9 ..%2F..%2Fetc 10s 0s 1ms 100y none eyJhIjoxfQ'.split(' '),
  '2025-13-01 2025-01-01T00:00:00Z +275760-09-13T00:00:00Z'.split(' '),
].flat();

interface Operation {
  parameters?: { name: string; in: string }[];
}

async function ask(path: string): Promise<{ status: number; field: unknown }> {
  const response = await fetch(new URL(path, server.url));
  const type = response.headers.get('content-type') ?? '';
  if (response.status !== 200) assert.match(type, /problem\+json/, path);
  const answer = (await response.json()) as { field?: unknown };
  return { status: response.status, field: answer.field };
}

test('every parameter of every list takes a value or names itself, whatever it is given', async () => {
  const { paths } = await getJson<{ paths: Record<string, { get?: Operation }> }>(server.url, '/openapi.json');
  const lists = Object.entries(paths).filter(
    ([path, { get }]) => /^\/api\/v1\/[a-z]+$/.test(path) && get && !path.endsWith('stream'),
  );
  assert.ok(lists.length >= 7);
  const body = JSON.stringify(eventOf('shop'));
  assert.equal((await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body })).status, 202);
  let refused = 0;
  for (const [path, { get }] of lists) {
    const names = (get?.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    for (const name of [...names, 'unknown']) {
      for (const value of ODD_VALUES) {
        const query = `${path}?${name}=${value}`;
        const { status, field } = await ask(query);
        if (status === 200) continue;
        refused++;
        assert.equal(status, 400, query);
        // A range that is too long for its step is the step's fault.
        assert.ok(field === name || (field === 'step' && ['from', 'to'].includes(name)), `${query}: ${String(field)}`);
      }
      assert.ok([200, 400].includes((await ask(`${path}?${name}=1&${name}=2`)).status));
    }
  }
  assert.ok(refused > 500);
});

test('ids, paths and bodies of any shape get their 400 or 404', async () => {
  for (const id of [
    'x',
    '%00',
    '%ff',
    '..%2f..%2fetc',
    'a%2Fb',
    '*',
    'a%0d%0ab',
    "'",
    '__proto__',
    'constructor',
    'a'.repeat(500),
  ]) {
    for (const path of [`incidents/${id}`, `incidents/${id}/report`, `anomalies/${id}`, `changes/${id}`]) {
      assert.ok([400, 404].includes((await ask(`/api/v1/${path}`)).status), path);
    }
  }
  assert.equal((await ask(`/api/v1/events?${'a=1&'.repeat(3000)}`)).status, 400);
  const bodies = [
    '',
    'x',
    '[]',
    'null',
    '"x"',
    '{"nope":1}',
    '{"__proto__":1}',
    `{"by":${'['.repeat(50_000)}`,
    '{"by":7}',
    '{"at":1e300}',
  ];
  for (const path of ['incidents/x/acknowledge', 'incidents/x/resolve', 'models/x/activate', 'models/predict', 'changes']) {
    for (const body of bodies) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(new URL(`/api/v1/${path}`, server.url), { method: 'POST', body, headers });
      assert.ok([400, 404].includes(response.status), `${path} ${body.slice(0, 20)}: ${response.status}`);
      assert.match(response.headers.get('content-type') ?? '', /problem\+json/);
      await response.arrayBuffer();
    }
  }
  await assertUnharmed(server);
});

test('a hundred thousand services, endpoints and versions are counted in bounded memory, most as other', async () => {
  const perRequest = 2000;
  for (let first = 0; first < NAMES; first += perRequest) {
    const lines = Array.from({ length: perRequest }, (_, i) => {
      const name = `service-${first + i}`;
      return JSON.stringify(eventOf(name, name, { endpoint: `/${name}`, 'service.version': name, latency_ms: i }));
    });
    const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body: lines.join('\n') });
    assert.deepEqual([response.status, await response.json()], [202, { accepted: perRequest }]);
  }
  await waitForEvents(server.url, NAMES, 60_000);
  const { items } = await getJson<ListPage<{ service: string; eventCount: number }>>(server.url, '/api/v1/services');
  const other = items.find(({ service }) => service === 'other');
  assert.ok(items.length <= 10_001, `${items.length} services`);
  assert.ok((other?.eventCount ?? 0) >= NAMES - 10_000);
  const { series } = await getMetrics(server.url, { service: 'other', name: 'event_count' });
  const counted = series[0]?.points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
  assert.equal(counted, other?.eventCount);
  const last = await getJson<ListPage<{ message: string }>>(server.url, '/api/v1/events', { service: `service-${NAMES - 1}` });
  assert.equal(last.items.length, 1, 'the events themselves keep their names');
  assert.ok(residentMiB(server) < 2200, `${residentMiB(server)} MiB`);
  await assertUnharmed(server);
});

test('nothing of this was a failure of the server', () => assertCleanEnd(server));
