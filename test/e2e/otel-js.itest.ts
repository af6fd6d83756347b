import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';
import type { Event } from '../../src/model/event.ts';
import { portOf, storedEvents, storedSeries } from '../clients/stored.ts';
import { sendLogs, sendMetrics, sendSpans } from './otel-js.fixture.ts';

const directory = temporaryDirectory();
let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ dataDir: directory.path });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const grpc = (): { url: string } => ({ url: `http://127.0.0.1:${portOf(server.grpcUrl)}` });
const http = (signal: string): { url: string } => ({ url: `${server.otlpUrl}/v1/${signal}` });

const EXPORTERS = {
  'http/protobuf': {
    logs: () => new ProtoLogs(http('logs')),
    traces: () => new ProtoTraces(http('traces')),
    metrics: () => new ProtoMetrics(http('metrics')),
  },
  'http/json': {
    logs: () => new JsonLogs(http('logs')),
    traces: () => new JsonTraces(http('traces')),
    metrics: () => new JsonMetrics(http('metrics')),
  },
  grpc: {
    logs: () => new GrpcLogs(grpc()),
    traces: () => new GrpcTraces(grpc()),
    metrics: () => new GrpcMetrics(grpc()),
  },
};

function assertResource({ metadata }: Event): void {
  assert.equal(metadata['service.version'], '2.0.1');
  assert.equal(metadata['deployment.environment.name'], 'staging');
  assert.equal(metadata['host.name'], 'node-7');
}

for (const [protocol, exporters] of Object.entries(EXPORTERS)) {
  const nameOf = (signal: string): string => `${signal}-${protocol.replace('/', '-')}`;

  test(`logs of the OpenTelemetry JS exporter over ${protocol} are stored as they were sent`, async () => {
    const sent = await sendLogs(exporters.logs(), nameOf('logs'));
    const stored = await storedEvents(server.url, nameOf('logs'), sent.length);
    assert.equal(stored.length, sent.length);
    for (const { message, level, attributes } of sent) {
      const event = stored.find((one) => one.message === message) as Event;
      assert.equal(event.level, level);
      assert.equal(event.kind, 'log');
      for (const [key, value] of Object.entries(attributes)) assert.deepEqual(event.metadata[key], value);
      assertResource(event);
    }
  });

  test(`spans of the OpenTelemetry JS exporter over ${protocol} are stored as they were sent`, async () => {
    const sent = await sendSpans(exporters.traces(), nameOf('traces'));
    const stored = await storedEvents(server.url, nameOf('traces'), sent.length);
    assert.equal(stored.length, sent.length);
    for (const { traceId, spanId, parentSpanId, isError } of sent) {
      const event = stored.find((one) => one.span_id === spanId) as Event;
      assert.equal(event.trace_id, traceId);
      assert.equal(event.parent_span_id, parentSpanId);
      assert.equal(event.kind, parentSpanId === undefined ? 'span' : 'inner_span');
      assert.equal(event.level, isError ? 'ERROR' : 'INFO');
      assert.ok((event.metadata['latency_ms'] as number) >= 0);
      assertResource(event);
    }
    assert.equal(stored.find((one) => one.parent_span_id === undefined)?.metadata['endpoint'], 'GET /orders/:id');
  });

  test(`metrics of the OpenTelemetry JS exporter over ${protocol} are stored as they were sent`, async () => {
    const service = nameOf('metrics');
    await sendMetrics(exporters.metrics(), service);
    const valuesOf = async (name: string): Promise<Map<string, unknown>> => {
      const series = await storedSeries(server.url, { service, name }, (found) => found.length > 0);
      return new Map(series.map(({ labels, points }) => [labels['le'] ?? labels['region'] ?? '', points.at(-1)?.[1]]));
    };
    assert.deepEqual(await valuesOf('orders'), new Map([['eu', 12]]));
    assert.deepEqual(await valuesOf('queue.depth'), new Map([['', 3.5]]));
    assert.deepEqual(await valuesOf('duration_sum'), new Map([['', 333]]));
    assert.deepEqual(await valuesOf('duration_count'), new Map([['', 3]]));
    const buckets = await valuesOf('duration_bucket');
    assert.deepEqual(
      ['10', '100', '+Inf'].map((le) => buckets.get(le)),
      [1, 2, 3],
    );
  });
}
