import assert from 'node:assert/strict';
import test from 'node:test';
import { NO_LIMITS } from '../model/scanner.ts';
import { EventWriter } from './otlp/event-writer.ts';
import { createLogsTranscoder } from './otlp/logs-protobuf.ts';
import { EVENT_ROLES } from './otlp/metadata-key.ts';
import { metricsFromProtobuf } from './otlp/metrics-protobuf.ts';
import { decodeRemoteWrite } from './prometheus/decode.ts';
import { MetricFamilies } from './prometheus/families.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** What costs two bytes to refer to, so often that work for its length each time would take hours. */
const MANY = 300_000;
const EMPTY_SCOPES = Buffer.alloc(2 * MANY, Uint8Array.of(18, 0));

function attribute(key: string, value: string): Uint8Array {
  return new ProtobufWriter().string(1, key).message(2, new ProtobufWriter().string(1, value).finish()).finish();
}

/** An export request with one resource of these attributes, and its scopes. */
function request(attributes: readonly Uint8Array[], scopes: Uint8Array): Uint8Array {
  const resource = new ProtobufWriter();
  for (const one of attributes) resource.message(1, one);
  const first = new ProtobufWriter().message(1, resource.finish()).finish();
  return new ProtobufWriter().message(1, Buffer.concat([first, scopes])).finish();
}

test('empty scopes cost no more because their resource is long', () => {
  const long = Array.from({ length: 8000 }, (_, i) => attribute(i.toString(36), ''));
  const { count, rejectedCount } = createLogsTranscoder()(request(long, EMPTY_SCOPES), 0);
  assert.deepEqual({ count, rejectedCount }, { count: 0, rejectedCount: 0 });
  const described = Array.from({ length: 8000 }, (_, i) => attribute(`os.description${i}`, ''));
  for (const attributes of [long, described, [attribute('service.name', 'x'.repeat(1_000_000))]]) {
    const { points } = metricsFromProtobuf(request(attributes, EMPTY_SCOPES), NO_LIMITS);
    assert.equal(points, 0);
  }
});

test('series that refer to a symbol cost no more because it is long', () => {
  for (const [name, refs] of [
    ['job', [1, 2]],
    ['__name__', [3, 2]],
  ] as const) {
    const writer = new ProtobufWriter();
    for (const symbol of ['', 'job', 'x'.repeat(1_000_000), '__name__']) writer.message(4, Buffer.from(symbol));
    const series = new ProtobufWriter().message(1, Uint8Array.from(refs));
    for (let i = 0; i < MANY; i++) writer.message(5, series.finish());
    series.message(2, Uint8Array.of(16, 1));
    const { points, rejections } = decodeRemoteWrite(writer.message(5, series.finish()).finish(), 2, NO_LIMITS);
    assert.equal(points, 0);
    assert.equal(rejections[0]?.field, name === 'job' ? 'service' : 'name');
  }
});

test('names that only bodies without records hold are forgotten', () => {
  const writer = new EventWriter(EVENT_ROLES);
  const name = writer.keys.of('name-0');
  for (let i = 1; i < 5000; i++) writer.keys.of(`name-${i}`);
  assert.equal(writer.keys.of('name-0'), name);
  writer.reset(new Uint8Array(0), 'ExportLogsServiceRequest');
  assert.notEqual(writer.keys.of('name-0'), name);
});

test('names of families that no series can have are not remembered', () => {
  const families = new MetricFamilies();
  families.set('a'.repeat(256), 1);
  assert.equal(families.size, 0);
  families.set('a'.repeat(255), 1);
  assert.equal(families.size, 1);
});
