import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { JsonLogsSerializer, ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { HeliosError } from '../../lib/errors.ts';
import { exportResponse, statusBody } from './answer.ts';

const ALL_GOOD = { accepted: 3, rejectedCount: 0, rejections: [], replayed: false };
const SOME_BAD = {
  accepted: 3,
  rejectedCount: 7,
  rejections: Array.from({ length: 7 }, (_, index) => ({ index, field: 'timestamp', reason: 'is older than the retention' })),
  replayed: false,
};

/** Fields by number, bytes as they are. */
function fieldsOf(bytes: Uint8Array): Map<number, unknown> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, unknown>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    fields.set(number, wireType === WireType.Varint ? Number(reader.uint64()) : Buffer.from(reader.bytes()));
  }
  return fields;
}

test('a request that is all good has the empty response', () => {
  assert.equal(exportResponse('logs', ALL_GOOD, 'protobuf').length, 0);
  assert.equal(Buffer.from(exportResponse('metrics', ALL_GOOD, 'json')).toString(), '{}');
});

test('clients read how many records were rejected and why', () => {
  const reason = (record: string): string =>
    `7 of 10 ${record}s rejected: ${[0, 1, 2, 3, 4].map((i) => `${record} ${i}: timestamp is older than the retention`).join('; ')}; 2 more`;
  const protobuf = ProtobufLogsSerializer.deserializeResponse(exportResponse('logs', SOME_BAD, 'protobuf'));
  assert.deepEqual({ ...protobuf.partialSuccess }, { rejectedLogRecords: 7, errorMessage: reason('log record') });
  const json = JsonLogsSerializer.deserializeResponse(exportResponse('logs', SOME_BAD, 'json'));
  assert.deepEqual(json.partialSuccess, { rejectedLogRecords: '7', errorMessage: reason('log record') });
  const spans = ProtobufTraceSerializer.deserializeResponse(exportResponse('traces', SOME_BAD, 'protobuf'));
  assert.deepEqual({ ...spans.partialSuccess }, { rejectedSpans: 7, errorMessage: reason('span') });
  const points = JSON.parse(Buffer.from(exportResponse('metrics', SOME_BAD, 'json')).toString()) as unknown;
  assert.deepEqual(points, { partialSuccess: { rejectedDataPoints: '7', errorMessage: reason('data point') } });
});

test('an error that may pass says when to try again, in both encodings', () => {
  const error = new HeliosError('overloaded', 'cannot take the request: memory is used up', {
    details: { retryAfterSeconds: 2.5 },
  });
  const status = fieldsOf(statusBody(error, 'protobuf'));
  assert.equal(status.get(1), 14);
  assert.equal(String(status.get(2)), error.message);
  const detail = fieldsOf(status.get(3) as Uint8Array);
  assert.equal(String(detail.get(1)), 'type.googleapis.com/google.rpc.RetryInfo');
  const delay = fieldsOf(detail.get(2) as Uint8Array).get(1) as Uint8Array;
  assert.equal(fieldsOf(delay).get(1), 3);
  assert.deepEqual(JSON.parse(Buffer.from(statusBody(error, 'json')).toString()), {
    code: 14,
    message: error.message,
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '3s' }],
  });
});

test('an error that will not pass has no retry information', () => {
  const error = new HeliosError('too_large', 'cannot read the body: it is over 64 MiB');
  assert.deepEqual([...fieldsOf(statusBody(error, 'protobuf')).keys()], [1, 2]);
  assert.deepEqual(JSON.parse(Buffer.from(statusBody(error, 'json')).toString()), { code: 8, message: error.message });
});
