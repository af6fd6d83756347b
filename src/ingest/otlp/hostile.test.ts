import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { createNames } from '../../model/event-batch.ts';
import { MAX_MESSAGE_BYTES, MAX_METADATA_BYTES } from '../../model/event.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { Rejection } from '../../model/scanner.ts';
import { createLogsTranscoder } from './logs-protobuf.ts';
import type { EventLines } from './request.ts';

type Bytes = Uint8Array | string;

const transcode = createLogsTranscoder();
const scanner = createJsonScanner(createNames());

const field = (number: number, ...parts: Bytes[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
  return Buffer.from(new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish());
};
const attribute = (key: string, value: string): Buffer => field(6, field(1, key), field(2, field(1, value)));
const shared = (key: string, value: string): Buffer => field(1, field(1, key), field(2, field(1, value)));
const request = (resource: Buffer[], records: Buffer[]): Buffer =>
  field(1, field(1, ...resource), field(2, ...records.map((record) => field(2, record))));

function judge({ ndjson, count }: EventLines): { accepted: number; rejections: Rejection[] } {
  const { batch, rejections, syntaxError, rejectedCount } = scanner.scan(ndjson, NO_LIMITS);
  assert.deepEqual([syntaxError, batch.count + rejectedCount], [undefined, count]);
  return { accepted: batch.count, rejections };
}

function eventOf(record: Buffer, resource: Buffer[] = []): Record<string, unknown> {
  return JSON.parse(Buffer.from(transcode(request(resource, [record]), 0).ndjson).toString()) as Record<string, unknown>;
}

test('a message or metadata over the limit is rejected by name, and takes no more room than the limit', () => {
  const records = [
    field(5, field(1, 'x'.repeat(MAX_MESSAGE_BYTES))),
    field(5, field(1, '\u0001'.repeat(20 * MAX_MESSAGE_BYTES))),
    attribute('a', 'x'.repeat(MAX_METADATA_BYTES - '{"a":""}'.length)),
    attribute('a', 'x'.repeat(MAX_METADATA_BYTES - '{"a":""}'.length + 1)),
    Buffer.concat(Array.from({ length: 40_000 }, (_, i) => attribute(`key ${i}`, '\u0001'.repeat(20)))),
    field(6, field(1, 'list'), field(2, field(5, Buffer.alloc(800_000, field(1, field(1, '')))))),
  ];
  const lines = transcode(request([], records), 0);
  assert.deepEqual(judge(lines), {
    accepted: 2,
    rejections: [
      { index: 1, field: 'message', reason: `is longer than ${MAX_MESSAGE_BYTES} bytes` },
      ...[3, 4, 5].map((index) => ({ index, field: 'metadata', reason: `is longer than ${MAX_METADATA_BYTES} bytes` })),
    ],
  });
  assert.ok(lines.ndjson.length < 16 * MAX_METADATA_BYTES);
});

test('values nested past what an event may have are cut there, not followed', () => {
  let value = field(1, 'x');
  for (let depth = 0; depth < 1000; depth++) value = field(5, field(1, value));
  const event = eventOf(Buffer.concat([field(5, value), field(6, field(1, 'deep'), field(2, value))]));
  assert.equal(event['message'], `${'['.repeat(16)}"(nested too deeply)"${']'.repeat(16)}`);
  const nested = JSON.stringify((event['metadata'] as Record<string, unknown>)['deep']);
  assert.equal(nested, `${'['.repeat(15)}"(nested too deeply)"${']'.repeat(15)}`);
});

test('a large resource with many records makes no more lines than fit, and the rest is rejected with the reason', () => {
  const records = Array.from({ length: 2000 }, () => field(3, 'INFO'));
  const lines = transcode(request([shared('a', 'x'.repeat(60_000))], records), 0);
  assert.ok(lines.ndjson.length < 65 * 1024 * 1024);
  assert.equal(lines.count + lines.rejectedCount, 2000);
  assert.ok(lines.rejectedCount > 0);
  assert.equal(lines.rejections.length, 100);
  assert.deepEqual(lines.rejections[0], {
    index: lines.count,
    field: '',
    reason: 'the request makes more than 64 MiB of events; send smaller ones',
  });
});

test('made-up keys without end are forgotten again, and names still stand beside those of the resource', () => {
  const record = (n: number): Buffer =>
    Buffer.concat([
      attribute('host.name', 'of the record'),
      ...Array.from({ length: 50 }, (_, i) => attribute(`key ${n} ${i}`, 'x')),
    ]);
  const body = request(
    [shared('host.name', 'of the resource')],
    Array.from({ length: 300 }, (_, n) => record(n)),
  );
  const lines = Buffer.from(transcode(body, 0).ndjson).toString().trimEnd().split('\n');
  for (const line of lines) {
    const { metadata } = JSON.parse(line) as { metadata: Record<string, unknown> };
    assert.deepEqual([metadata['host.name'], metadata['resource.host.name']], ['of the record', 'of the resource']);
    assert.equal(Object.keys(metadata).length, 52);
  }
});

test('names are kept apart where a record repeats them or means something else by them', () => {
  const record = ['a', 'a', 'a', 'environment', 'adjusted_count', 'attributes.a'].map((key, i) => attribute(key, String(i)));
  assert.deepEqual(eventOf(Buffer.concat(record), [shared('environment', 'prod'), shared('latency_ms', '5')])['metadata'], {
    environment: 'prod',
    'attributes.latency_ms': '5',
    a: '0',
    'attributes.a': '1',
    'attributes.attributes.a': '2',
    'attributes.environment': '3',
    'attributes.adjusted_count': '4',
    'attributes.attributes.attributes.a': '5',
  });
});

test('after a damaged request the next one starts afresh', () => {
  const clashing = request([shared('a', '1')], [Buffer.concat([attribute('a', '2'), Buffer.from([0x32, 0x02, 0x0a, 0x7f])])]);
  assert.throws(() => transcode(clashing, 0), /cannot read ExportLogsServiceRequest: at byte \d+, a length passes the end/);
  assert.deepEqual(eventOf(attribute('b', '2'), [shared('a', '1')])['metadata'], { a: '1', b: '2' });
});
