import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { countEvents, getJson, getMetrics, listAll, waitForEvents } from '../../bench/server-api.ts';
import type { ListPage } from '../../bench/server-api.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';

const directory = temporaryDirectory();
let server: ServerProcess;
/** Events acknowledged so far: what the API has to count in the end. */
let acknowledged = 0;

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

interface Answer {
  status: number;
  headers: Headers;
  body: { accepted?: number; rejectedCount?: number; rejected?: { index: number; field: string }[]; code?: string };
}

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(new URL('/api/v1/events', server.url), { method: 'POST', body, headers });
  const answer = (await response.json()) as Answer['body'];
  if (response.headers.get('idempotent-replayed') === null) acknowledged += response.status === 202 ? (answer.accepted ?? 0) : 0;
  return { status: response.status, headers: response.headers, body: answer };
}

const minuteMs = Math.floor(Date.now() / 60_000) * 60_000 - 120_000;

function event(service: string, index: number, extra: Partial<Event> = {}): Event {
  const timestamp = new Date(minuteMs + index).toISOString();
  return {
    timestamp,
    service,
    level: 'INFO',
    message: `event ${index}`,
    metadata: { latency_ms: index, endpoint: '/a' },
    ...extra,
  };
}

const lines = (events: readonly Event[]): string => events.map((one) => `${JSON.stringify(one)}\n`).join('');

test('events of every form and encoding are acknowledged, and read back newest first', async () => {
  const service = 'forms';
  const eventAt = (index: number): Event => event(service, index);
  const compressed = (bytes: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const answers = [
    await post(JSON.stringify(eventAt(0)), { 'content-type': 'application/json' }),
    await post(JSON.stringify([eventAt(1), eventAt(2)]), { 'content-type': 'application/json; charset=utf-8' }),
    await post(lines([eventAt(3), eventAt(4)]), ndjson),
    await post(compressed(gzipSync(lines([eventAt(5)]))), { ...ndjson, 'content-encoding': 'gzip' }),
    await post(compressed(zstdCompressSync(JSON.stringify([eventAt(6)]))), { 'content-encoding': 'zstd' }),
    await post(JSON.stringify(eventAt(7)), { 'content-type': 'application/x-www-form-urlencoded' }),
  ];
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    [1, 2, 2, 1, 1, 1].map((accepted) => [202, { accepted }]),
  );
  await waitForEvents(server.url, acknowledged, 30_000);
  const read = await Array.fromAsync(listAll<Event>(server.url, '/api/v1/events', { service, limit: 3 }));
  assert.deepEqual(read, [7, 6, 5, 4, 3, 2, 1, 0].map(eventAt));
});

test('the good events of a bad body are kept, and the bad ones named', async () => {
  const service = 'mixed';
  const bad = [
    { ...event(service, 1), timestamp: 'yesterday' },
    { ...event(service, 2), service: '' },
  ];
  const answer = await post(lines([event(service, 0), ...bad, event(service, 3)]));
  assert.equal(answer.status, 202);
  assert.deepEqual([answer.body.accepted, answer.body.rejectedCount], [2, 2]);
  assert.deepEqual(
    answer.body.rejected?.map(({ index, field }) => [index, field]),
    [
      [1, 'timestamp'],
      [2, 'service'],
    ],
  );
  await waitForEvents(server.url, acknowledged, 30_000);
  const { items } = await getJson<ListPage<Event>>(server.url, '/api/v1/events', { service });
  assert.deepEqual(
    items.map(({ message }) => message),
    ['event 3', 'event 0'],
  );
});

test('a body without a good event is refused as a problem, and nothing of it is stored', async () => {
  const before = await countEvents(server.url);
  for (const body of ['[{"service":"x"}]', '{"timestamp":', 'nonsense', JSON.stringify([1, null])]) {
    const { status, headers, body: problem } = await post(body);
    assert.equal(status, 400, body);
    assert.match(headers.get('content-type') ?? '', /application\/problem\+json/);
    assert.equal(typeof problem.code, 'string');
  }
  const { status } = await post('<event/>', { 'content-type': 'application/xml' });
  assert.equal(status, 415);
  assert.equal(await countEvents(server.url), before);
});

test('a request that is repeated under its key counts once, and another body under that key is refused', async () => {
  const service = 'repeated';
  const headers = { 'idempotency-key': 'order-17' };
  const body = lines([event(service, 0), event(service, 1)]);
  const first = await post(body, headers);
  const counted = acknowledged;
  const second = await post(body, headers);
  assert.deepEqual([second.status, second.body], [first.status, first.body]);
  assert.equal((await post(lines([event(service, 2)]), headers)).status, 422);
  acknowledged = counted;
  await waitForEvents(server.url, acknowledged, 30_000);
  const { items } = await getJson<ListPage<Event>>(server.url, '/api/v1/events', { service });
  assert.equal(items.length, 2);
});

test('metrics, services and filtered events say what was posted', async () => {
  const service = 'measured';
  const latencies = [5, 1, 9, 3, 7, 100, 2, 4, 6, 8];
  const events = latencies.map((latency, index) =>
    event(service, index, {
      level: index % 5 === 0 ? 'ERROR' : 'INFO',
      message: index % 5 === 0 ? `Payment ${index} DECLINED` : `Payment ${index} taken`,
      metadata: { latency_ms: latency, endpoint: index < 4 ? '/pay' : '/refund' },
    }),
  );
  assert.equal((await post(lines(events))).status, 202);
  await waitForEvents(server.url, acknowledged, 30_000);
  const { series } = await getMetrics(server.url, { service, from: minuteMs, to: minuteMs + 60_000, step: '1m' });
  const values = Object.fromEntries(series.map(({ name, points }) => [name, points[0]?.[1] ?? null]));
  assert.equal(values['event_count'], 10);
  assert.equal(values['error_rate'], 0.2);
  assert.equal(values['avg_latency'], 14.5);
  assert.equal(values['unique_endpoints'], 2);
  assert.ok(Math.abs((values['p99_latency'] ?? 0) - 100) <= 1.6, `p99 ${values['p99_latency']}`);
  const range = { from: minuteMs, to: minuteMs + 60_000 };
  interface Summary {
    service: string;
    eventCount: number;
    errorCount: number;
  }
  const services = await getJson<ListPage<Summary>>(server.url, '/api/v1/services', range);
  const summary = services.items.find((one) => one.service === service);
  assert.deepEqual([summary?.eventCount, summary?.errorCount], [10, 2]);
  const count = async (query: Record<string, string>): Promise<number> =>
    (await getJson<ListPage<Event>>(server.url, '/api/v1/events', { service, ...query })).items.length;
  assert.deepEqual(
    [await count({ level: 'error' }), await count({ text: 'declined' }), await count({ endpoint: '/pay', level: 'INFO' })],
    [2, 2, 3],
  );
});

test('the process says how it is, and describes its own API', async () => {
  assert.deepEqual(await getJson(server.url, '/healthz'), { status: 'ok' });
  assert.deepEqual(await getJson(server.url, '/readyz'), { ready: true, reasons: [] });
  const { paths } = await getJson<{ paths: Record<string, unknown> }>(server.url, '/openapi.json');
  for (const path of ['/api/v1/events', '/api/v1/metrics', '/api/v1/incidents', '/api/v1/models/train'])
    assert.ok(paths[path], path);
  const metrics = await (await fetch(new URL('/metrics', server.url))).text();
  assert.match(metrics, /^helios_pipeline_events_total \d+$/m);
});
