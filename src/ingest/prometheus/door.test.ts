import assert from 'node:assert/strict';
import test from 'node:test';
import { compressSnappy } from '../../lib/snappy.fixture.ts';
import { openDoor } from '../door.fixture.ts';
import type { DoorFixtureOptions } from '../door.fixture.ts';
import { RemoteWriteDoor } from './door.ts';
import { remoteWrite1, remoteWrite2 } from './remote-write.fixture.ts';
import type { SeriesJson } from './remote-write.fixture.ts';

const PATH = '/api/v1/write';
const SNAPPY = { 'content-encoding': 'snappy' };
const V1 = { ...SNAPPY, 'content-type': 'application/x-protobuf' };
const V2 = { ...SNAPPY, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request' };

const openRemoteWrite = (options: DoorFixtureOptions = {}) =>
  openDoor({ ...options, createDoors: (handler, limitsOf) => ({ [PATH]: new RemoteWriteDoor(handler, limitsOf) }) });

const series = (timestampMs: number): SeriesJson[] => [
  {
    labels: [
      ['__name__', 'up'],
      ['job', 'shop'],
    ],
    samples: [[timestampMs, 1]],
  },
];

test('both versions are stored and answered 204, version 2 with what was written', async () => {
  await using door = await openRemoteWrite();
  const first = await door.postBytes(PATH, compressSnappy(remoteWrite1(series(Date.now()))), V1);
  assert.deepEqual(
    [first.status, first.body.length, first.headers['x-prometheus-remote-write-samples-written']],
    [204, 0, undefined],
  );
  const second = await door.postBytes(PATH, compressSnappy(remoteWrite2(series(Date.now()))), V2);
  assert.equal(second.status, 204);
  assert.equal(second.headers['x-prometheus-remote-write-samples-written'], '1');
  assert.equal(second.headers['x-prometheus-remote-write-histograms-written'], '0');
  assert.equal(second.headers['x-prometheus-remote-write-exemplars-written'], '0');
  assert.equal(door.metricsLog.committedOffset(), 2);
});

test('a partial write is 400 with the reason, and what was good is stored', async () => {
  await using door = await openRemoteWrite();
  const body = compressSnappy(remoteWrite2([...series(1000), ...series(Date.now())]));
  const answer = await door.postBytes(PATH, body, V2);
  assert.equal(answer.status, 400);
  assert.match(answer.headers['content-type'] ?? '', /^text\/plain/);
  assert.match(answer.body.toString(), /1 of 2 samples rejected.*timestamp/);
  assert.equal(answer.headers['x-prometheus-remote-write-samples-written'], '1');
  assert.equal(door.metricsLog.committedOffset(), 1);
});

test('what is not remote write is refused with one line of text', async () => {
  await using door = await openRemoteWrite({ config: { max_body: '64KiB' } });
  const good = compressSnappy(remoteWrite1(series(Date.now())));
  const cases: [body: Uint8Array, headers: Record<string, string>, status: number][] = [
    [good, { ...SNAPPY, 'content-type': 'application/json' }, 415],
    [good, { ...SNAPPY, 'content-type': 'application/x-protobuf;proto=some.other.Message' }, 415],
    [good, { 'content-type': 'application/x-protobuf' }, 415],
    [good, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' }, 415],
    [Buffer.from('no snappy'), V1, 400],
    [compressSnappy(Buffer.from([0xff, 0xff])), V1, 400],
    [Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x10]), good]), V1, 413],
    [Buffer.alloc(70_000), V1, 413],
  ];
  for (const [body, headers, status] of cases) {
    const answer = await door.postBytes(PATH, body, headers);
    assert.equal(answer.status, status, `${JSON.stringify(headers)} ${answer.body.toString()}`);
    assert.match(answer.body.toString(), /^cannot [^\n]+\n$/);
  }
  assert.equal(door.metricsLog.committedOffset(), 0);
  assert.equal(door.pending.bytes, 0);
});
