import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { systemClock } from '../../lib/clock.ts';
import { openDoor } from '../door.fixture.ts';
import type { DoorFixtureOptions } from '../door.fixture.ts';
import { createNativeDoor } from '../http/door.ts';
import { createOtlpDoors } from './door.ts';
import { createOtlpExport } from './export.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PROTOBUF_TYPE = { 'content-type': 'application/x-protobuf' };

const nanos = (): string => `${Date.now()}000000`;

/** One log record of a service, in OTLP/JSON. */
function logsOf(
  service: string,
  records: object[] = [{ timeUnixNano: nanos(), severityNumber: 9, body: { stringValue: 'hello' } }],
) {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: records }] }] });
}

const openOtlp = (options: DoorFixtureOptions = {}) =>
  openDoor({
    ...options,
    createDoors: (handler) => Object.fromEntries(createOtlpDoors(createOtlpExport({ handler, clock: systemClock }))),
  });

test('every signal is taken at its path, and answered in the encoding of the request', async () => {
  await using door = await openOtlp();
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    name: 'GET',
    startTimeUnixNano: nanos(),
    endTimeUnixNano: nanos(),
  };
  const gauge = { name: 'depth', gauge: { dataPoints: [{ timeUnixNano: nanos(), asDouble: 1 }] } };
  const bodies = {
    '/v1/logs': logsOf('shop'),
    '/v1/traces': JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    '/v1/metrics': JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] }),
  };
  for (const [path, body] of Object.entries(bodies)) {
    const answer = await door.postBytes(path, body, { 'content-type': 'application/json; charset=utf-8' });
    assert.deepEqual(
      [answer.status, answer.headers['content-type'], answer.body.toString()],
      [200, 'application/json', '{}'],
      path,
    );
    const empty = await door.postBytes(path, '', PROTOBUF_TYPE);
    assert.deepEqual([empty.status, empty.headers['content-type'], empty.body.length], [200, 'application/x-protobuf', 0], path);
  }
  assert.deepEqual([door.log.committedOffset(), door.metricsLog.committedOffset()], [2, 1]);
});

test('gzip, zstd and deflate come off, and a bomb is refused before it goes off', async () => {
  await using door = await openOtlp({ config: { max_body: '64KiB' } });
  const codings = { gzip: zlib.gzipSync, zstd: zlib.zstdCompressSync, deflate: zlib.deflateSync };
  for (const [coding, compress] of Object.entries(codings)) {
    const headers = { ...JSON_TYPE, 'content-encoding': coding };
    assert.equal((await door.postBytes('/v1/logs', compress(logsOf('shop')), headers)).status, 200, coding);
    assert.equal((await door.postBytes('/v1/logs', compress(Buffer.alloc(2 ** 24)), headers)).status, 413, coding);
    assert.equal((await door.postBytes('/v1/logs', 'not compressed', headers)).status, 400, coding);
  }
  assert.equal(door.log.committedOffset(), 3);
  assert.equal(door.pending.bytes, 0);
});

test('what is left out is a partial success, also when it is all', async () => {
  await using door = await openOtlp();
  const old = { timeUnixNano: '1000000000', body: { stringValue: 'of 1970' } };
  const answer = await door.postBytes(
    '/v1/logs',
    logsOf('shop', [{ timeUnixNano: nanos(), body: { stringValue: 'new' } }, old]),
    JSON_TYPE,
  );
  assert.equal(answer.status, 200);
  const { partialSuccess } = JSON.parse(answer.body.toString()) as { partialSuccess: Record<string, string> };
  assert.equal(partialSuccess['rejectedLogRecords'], '1');
  assert.match(partialSuccess['errorMessage'] ?? '', /log record 1: timestamp/);
  assert.equal((await door.postBytes('/v1/logs', logsOf('shop', [old]), JSON_TYPE)).status, 200);
  assert.equal(door.log.committedOffset(), 1);
  const [client] = door.ledger.list({ offset: 0, limit: 1 }).items;
  assert.deepEqual([client?.accepted, client?.rejected], [1, 2]);
});

test('errors are a google.rpc.Status in the encoding of the request, with the status of the protocol', async () => {
  await using door = await openOtlp({ keys: [{ id: 'k', sha256: '0'.repeat(64), roles: ['ingest'] }] });
  const refused = await door.postBytes('/v1/logs', logsOf('shop'), JSON_TYPE);
  assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer']);
  assert.equal((JSON.parse(refused.body.toString()) as { code: number }).code, 16);
  const binary = await door.postBytes('/v1/logs', '', PROTOBUF_TYPE);
  assert.deepEqual([binary.status, binary.headers['content-type'], binary.body[1]], [401, 'application/x-protobuf', 16]);
  await using open = await openOtlp({ config: { max_pending: '1KiB' } });
  const cases: [body: string | Uint8Array, headers: Record<string, string>, status: number][] = [
    ['{', JSON_TYPE, 400],
    [Buffer.from([0xff, 0xff]), PROTOBUF_TYPE, 400],
    ['<a/>', { 'content-type': 'text/xml' }, 415],
    ['{}', {}, 415],
    ['{}', { ...JSON_TYPE, 'content-encoding': 'br' }, 415],
    [Buffer.alloc(4096), PROTOBUF_TYPE, 503],
  ];
  for (const [body, headers, status] of cases) {
    const answer = await open.postBytes('/v1/logs', body, headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    if (status === 503) assert.equal(answer.headers['retry-after'], '1');
  }
  const get = await open.postBytes('/v1/logs', '', {}, 'GET');
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST']);
});

test('a door may have limits of its own', async () => {
  const doors = [{ door: 'otlp_http', max_body: '64B' }];
  await using door = await openOtlp({ config: { doors } });
  assert.equal((await door.postBytes('/v1/logs', logsOf('shop'), JSON_TYPE)).status, 413);
  await using counting = await openOtlp({ config: { doors: [{ door: 'otlp_http', max_events: 2 }] } });
  const record = { timeUnixNano: nanos(), body: { stringValue: 'x' } };
  assert.equal((await counting.postBytes('/v1/logs', logsOf('shop', [record, record]), JSON_TYPE)).status, 200);
  assert.equal((await counting.postBytes('/v1/logs', logsOf('shop', [record, record, record]), JSON_TYPE)).status, 413);
  assert.equal(counting.log.committedOffset(), 1);
});

test('what a client sends at one door counts against its rate at the others', async () => {
  await using door = await openDoor({
    config: { events_per_second: 1, burst: '1s' },
    createDoors: (handler) => ({
      ...Object.fromEntries(createOtlpDoors(createOtlpExport({ handler, clock: systemClock }))),
      '/api/v1/events': createNativeDoor(handler),
    }),
  });
  const record = { timeUnixNano: nanos(), body: { stringValue: 'x' } };
  const many = logsOf(
    'shop',
    Array.from({ length: 100 }, () => record),
  );
  assert.equal((await door.postBytes('/v1/logs', many, JSON_TYPE)).status, 200);
  const native = await door.postBytes('/api/v1/events', '{}');
  assert.equal(native.status, 429);
  const otlp = await door.postBytes('/v1/logs', many, JSON_TYPE);
  assert.equal(otlp.status, 429);
  assert.ok(Number(otlp.headers['retry-after']) >= 1);
  assert.equal((JSON.parse(otlp.body.toString()) as { code: number }).code, 8, 'RESOURCE_EXHAUSTED');
});
