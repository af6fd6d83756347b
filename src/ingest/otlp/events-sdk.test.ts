import assert from 'node:assert/strict';
import test from 'node:test';
import { context, createTraceState, ROOT_CONTEXT, SeverityNumber, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { logsFromJson } from './logs-json.ts';
import { createLogsTranscoder } from './logs-protobuf.ts';
import type { EventTranscoder } from './request.ts';
import { tracesFromJson } from './traces-json.ts';
import { createTracesTranscoder } from './traces-protobuf.ts';

const SECONDS = 1_731_000_000;
const TRACE_ID = '8b51e36eaee3265bec099d0c5c63fd37';
const SPAN_ID = '517d16044e5eb3ee';
const CALLER = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true, traceState: createTraceState('ot=th:c') };
const RESOURCE = resourceFromAttributes({
  'service.name': 'shop',
  'service.version': '1.2.3',
  'deployment.environment.name': 'prod',
  'k8s.pod.name': 'shop-7d',
});
const SHARED = {
  'service.version': '1.2.3',
  'deployment.environment.name': 'prod',
  'k8s.pod.name': 'shop-7d',
  'otel.scope.name': 'checkout',
  'otel.scope.version': '2.0.0',
};

function eventsOf(transcode: EventTranscoder, body: Uint8Array | undefined): unknown[] {
  assert.ok(body);
  const { ndjson, rejectedCount } = transcode(body, 0);
  assert.equal(rejectedCount, 0);
  return Buffer.from(ndjson)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

async function exportLogs(): Promise<InMemoryLogRecordExporter> {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ resource: RESOURCE, processors: [new SimpleLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('checkout', '2.0.0');
  logger.emit({
    timestamp: [SECONDS, 123_456_789],
    observedTimestamp: [SECONDS + 1, 0],
    severityNumber: SeverityNumber.ERROR,
    severityText: 'error',
    body: 'cannot pay: "declined"',
    attributes: { latency_ms: 12.5, endpoint: '/pay', items: ['a', 'b'], retried: false, attempt: 3 },
    context: trace.setSpanContext(ROOT_CONTEXT, CALLER),
  });
  logger.emit({
    timestamp: [SECONDS, 0],
    observedTimestamp: [SECONDS, 0],
    body: { step: 'pay', n: 1 },
    eventName: 'checkout.step',
  });
  await provider.forceFlush();
  return exporter;
}

test('log records of the OpenTelemetry SDK arrive as they were emitted, in protobuf and in JSON', async () => {
  const records = (await exportLogs()).getFinishedLogRecords();
  const transcode = createLogsTranscoder();
  const events = eventsOf(transcode, ProtobufLogsSerializer.serializeRequest(records));
  assert.deepEqual(events, [
    {
      timestamp: '2024-11-07T17:20:00.123456Z',
      service: 'shop',
      level: 'ERROR',
      message: 'cannot pay: "declined"',
      kind: 'log',
      metadata: {
        ...SHARED,
        observed_timestamp: '2024-11-07T17:20:01.000000Z',
        flags: 1,
        latency_ms: 12.5,
        endpoint: '/pay',
        items: ['a', 'b'],
        retried: false,
        attempt: 3,
      },
      trace_id: TRACE_ID,
      span_id: SPAN_ID,
    },
    {
      timestamp: '2024-11-07T17:20:00.000000Z',
      service: 'shop',
      level: 'INFO',
      message: '{"step":"pay","n":1}',
      kind: 'log',
      metadata: { ...SHARED, event_name: 'checkout.step' },
    },
  ]);
  const json = JsonLogsSerializer.serializeRequest(records);
  assert.ok(json);
  assert.deepEqual(eventsOf(transcode, logsFromJson(json)), events);
});

async function exportSpans(): Promise<InMemorySpanExporter> {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource: RESOURCE, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('checkout', '2.0.0');
  const parent = trace.setSpanContext(context.active(), CALLER);
  const attributes = { 'http.request.method': 'POST', 'http.route': '/pay/{id}', 'http.response.status_code': 500 };
  const server = tracer.startSpan('POST /pay/{id}', { kind: SpanKind.SERVER, startTime: [SECONDS, 0], attributes }, parent);
  server.addEvent('retry', { attempt: 1 }, [SECONDS, 1_000_000]);
  server.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
  const inside = trace.setSpan(parent, server);
  const link = { context: CALLER, attributes: { why: 'retry' } };
  const client = tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, startTime: [SECONDS, 5_000_000], links: [link] }, inside);
  client.end([SECONDS, 7_250_000]);
  server.end([SECONDS, 12_345_678]);
  await provider.forceFlush();
  return exporter;
}

test('spans of the OpenTelemetry SDK arrive as they ended, in protobuf and in JSON', async () => {
  const spans = (await exportSpans()).getFinishedSpans();
  const [client, server] = spans.map((span) => span.spanContext().spanId);
  const transcode = createTracesTranscoder();
  const events = eventsOf(transcode, ProtobufTraceSerializer.serializeRequest(spans));
  const common = { service: 'shop', trace_id: TRACE_ID };
  assert.deepEqual(events, [
    {
      ...common,
      timestamp: '2024-11-07T17:20:00.007250Z',
      level: 'INFO',
      message: 'SELECT',
      kind: 'inner_span',
      metadata: {
        ...SHARED,
        latency_ms: 2.25,
        'span.kind': 'client',
        trace_state: 'ot=th:c',
        adjusted_count: 4,
        flags: 257,
        links: [{ trace_id: TRACE_ID, span_id: SPAN_ID, trace_state: 'ot=th:c', attributes: { why: 'retry' }, flags: 769 }],
        endpoint: 'SELECT',
      },
      span_id: client,
      parent_span_id: server,
    },
    {
      ...common,
      timestamp: '2024-11-07T17:20:00.012345Z',
      level: 'ERROR',
      message: 'declined',
      kind: 'span',
      metadata: {
        ...SHARED,
        latency_ms: 12.345678,
        'span.kind': 'server',
        'otel.status_code': 'ERROR',
        trace_state: 'ot=th:c',
        adjusted_count: 4,
        flags: 769,
        events: [{ time: '2024-11-07T17:20:00.001000Z', name: 'retry', attributes: { attempt: 1 } }],
        'http.request.method': 'POST',
        'http.route': '/pay/{id}',
        'http.response.status_code': 500,
        endpoint: 'POST /pay/{id}',
        'span.name': 'POST /pay/{id}',
      },
      span_id: server,
      parent_span_id: SPAN_ID,
    },
  ]);
  const json = JsonTraceSerializer.serializeRequest(spans);
  assert.ok(json);
  assert.deepEqual(eventsOf(transcode, tracesFromJson(json)), events);
});
