import assert from 'node:assert/strict';
import test from 'node:test';
import type { Client } from '@grpc/grpc-js';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { ManualClock } from '../../lib/clock.ts';
import type { Verdict } from '../handler.ts';
import type { OtlpExport } from '../otlp/export.ts';
import { healthMethods } from './health-service.ts';
import { callUnary, openGrpc, openStream, RawClient, statusOf } from './server.fixture.ts';

const CHECK = 'grpc.health.v1.Health/Check';
const SERVICES = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  'helios.v1.EventService',
  'opentelemetry.proto.collector.logs.v1.LogsService',
  'opentelemetry.proto.collector.metrics.v1.MetricsService',
  'opentelemetry.proto.collector.trace.v1.TraceService',
];

interface ReflectionResponse {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_code: number; error_message: string };
}

/** The answers to some questions on one reflection stream. */
async function reflect(client: Client, version: string, requests: object[]): Promise<ReflectionResponse[]> {
  const stream = openStream(client, `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);
  const answers: ReflectionResponse[] = [];
  stream.on('data', (answer: ReflectionResponse) => answers.push(answer));
  for (const request of requests) stream.write(request);
  stream.end();
  await new Promise((resolve, reject) => {
    stream.on('end', resolve).on('error', reject);
  });
  return answers;
}

function filesOf({ file_descriptor_response: response }: ReflectionResponse): string[] {
  return (response?.file_descriptor_proto ?? []).map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

test('the health service says what readiness says, for every service by name', async () => {
  await using grpc = await openGrpc();
  const client = grpc.client();
  for (const service of ['', 'helios.v1.EventService', 'opentelemetry.proto.collector.logs.v1.LogsService']) {
    assert.deepEqual(await callUnary(client, CHECK, { service }), { status: 'SERVING' });
  }
  grpc.state.isReady = false;
  assert.deepEqual(await callUnary(client, CHECK, {}), { status: 'NOT_SERVING' });
  await assert.rejects(callUnary(client, CHECK, { service: 'nothing' }), { code: 5 });
});

test('a watch is told the status at once and when it changes', () => {
  const clock = new ManualClock();
  const state = { isReady: true };
  const [, watch] = healthMethods({ isReady: () => state.isReady, services: [], clock }).map(([, method]) => method);
  assert.ok(watch?.shape === 'watch');
  const sent: number[] = [];
  const stop = watch.watch(new Uint8Array(0), (message) => sent.push(message[1] ?? 0));
  clock.advance(5000);
  state.isReady = false;
  clock.advance(5000);
  assert.deepEqual(sent, [1, 2]);
  stop();
  assert.equal(clock.pendingTimers, 0);
  const unknown: number[] = [];
  watch.watch(Buffer.from('\n\x01x'), (message) => unknown.push(message[1] ?? 0))();
  assert.deepEqual(unknown, [3]);
});

test('a watch over the wire ends with UNAVAILABLE when the process stops, and a malformed one at once', async () => {
  await using grpc = await openGrpc();
  using raw = new RawClient(grpc.url);
  const path = '/grpc.health.v1.Health/Watch';
  assert.equal(statusOf(await raw.call(path, Buffer.from([0, 0, 0, 0, 1, 0xff]))), 3);
  const { stream, answer } = raw.open(path);
  stream.end(Buffer.alloc(5));
  await new Promise((resolve) => {
    stream.once('data', resolve);
  });
  const closed = grpc.server.close(new Promise(() => {}));
  assert.equal(statusOf(await answer), 14);
  assert.equal(await closed, true);
});

test('reflection lists every service and describes it with what it imports', async () => {
  await using grpc = await openGrpc();
  const client = grpc.client();
  for (const version of ['v1', 'v1alpha']) {
    const [list, ...files] = await reflect(client, version, [
      { list_services: '' },
      ...SERVICES.map((symbol) => ({ file_containing_symbol: symbol })),
    ]);
    assert.deepEqual(
      list?.list_services_response?.service,
      SERVICES.map((name) => ({ name })),
    );
    for (const file of files) assert.ok(filesOf(file).length > 0);
  }
  const [method, message, byName] = await reflect(client, 'v1', [
    { file_containing_symbol: 'helios.v1.EventService.PublishStream' },
    { file_containing_symbol: 'opentelemetry.proto.logs.v1.LogRecord.severity_number' },
    { file_by_filename: 'google/protobuf/struct.proto' },
  ]);
  assert.deepEqual(filesOf(method ?? {}), [
    'helios/v1/events.proto',
    'google/protobuf/struct.proto',
    'google/protobuf/timestamp.proto',
  ]);
  assert.equal(filesOf(message ?? {})[0], 'opentelemetry/proto/logs/v1/logs.proto');
  assert.deepEqual(filesOf(byName ?? {}), ['google/protobuf/struct.proto']);
});

test('what reflection does not know is an answer, and the stream goes on', async () => {
  await using grpc = await openGrpc();
  const answers = await reflect(grpc.client(), 'v1', [
    { file_containing_symbol: 'helios.v1.Nothing' },
    { file_by_filename: 'nothing.proto' },
    { file_containing_extension: { containing_type: 'helios.v1.Event', extension_number: 1 } },
    { all_extension_numbers_of_type: 'helios.v1.Event' },
    { host: 'here' },
    { list_services: '' },
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.error_response?.error_code),
    [5, 5, 5, 5, 3, undefined],
  );
});

test('an OTLP export is answered with what was left out', async () => {
  const seen: unknown[][] = [];
  const verdict: Verdict = {
    accepted: 2,
    rejectedCount: 1,
    rejections: [{ index: 1, field: 'service', reason: 'is odd' }],
    replayed: false,
  };
  const take =
    (signal: string) =>
    (body: Uint8Array, encoding: string, _: unknown, door: string): Promise<Verdict> => {
      seen.push([signal, body.length, encoding, door]);
      return Promise.resolve(verdict);
    };
  const otlpExport = { logs: take('logs'), traces: take('traces'), metrics: take('metrics') } as unknown as OtlpExport;
  await using grpc = await openGrpc({ otlpExport });
  const client = grpc.client();
  const rejected: unknown[] = [];
  for (const service of ['logs.v1.LogsService', 'trace.v1.TraceService', 'metrics.v1.MetricsService']) {
    const answer = await callUnary(client, `opentelemetry.proto.collector.${service}/Export`, {});
    const partial = answer['partial_success'] as Record<string, unknown>;
    rejected.push(partial['rejected_log_records'] ?? partial['rejected_spans'] ?? partial['rejected_data_points']);
  }
  assert.deepEqual(rejected, [1, 1, 1]);
  assert.deepEqual(
    seen,
    ['logs', 'traces', 'metrics'].map((signal) => [signal, 0, 'protobuf', 'otlp_grpc']),
  );
});
