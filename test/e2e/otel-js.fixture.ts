import { SpanKind, SpanStatusCode, trace, context } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { resourceFromAttributes } from '@opentelemetry/resources';

export interface SentLog {
  message: string;
  level: string;
  attributes: Record<string, unknown>;
}

export interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  isError: boolean;
}

function resourceOf(service: string) {
  return resourceFromAttributes({
    'service.name': service,
    'service.version': '2.0.1',
    'deployment.environment.name': 'staging',
    'host.name': 'node-7',
  });
}

/** Log records with bodies and attributes of every kind. */
export async function sendLogs(exporter: LogRecordExporter, service: string): Promise<SentLog[]> {
  const provider = new LoggerProvider({ resource: resourceOf(service), processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('shop');
  const sent: SentLog[] = [];
  for (const [severityNumber, level] of [
    [SeverityNumber.DEBUG, 'DEBUG'],
    [SeverityNumber.INFO, 'INFO'],
    [SeverityNumber.WARN, 'WARN'],
    [SeverityNumber.ERROR, 'ERROR'],
    [SeverityNumber.FATAL, 'CRITICAL'],
  ] as const) {
    const attributes = { text: `quote " and \u00e9\u{1f600}`, count: severityNumber, ratio: 0.5, flag: true, list: ['a', 'b'] };
    logger.emit({ severityNumber, body: `level ${level}`, attributes });
    sent.push({ message: `level ${level}`, level, attributes });
  }
  logger.emit({ severityNumber: SeverityNumber.INFO, body: { order: 7, items: ['x'] } });
  sent.push({ message: '{"order":7,"items":["x"]}', level: 'INFO', attributes: {} });
  await provider.shutdown();
  return sent;
}

/** A request with a call inside it that fails. */
export async function sendSpans(exporter: SpanExporter, service: string): Promise<SentSpan[]> {
  const provider = new TracerProvider({ resource: resourceOf(service), spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('shop');
  const request = tracer.startSpan('GET /orders/:id', {
    kind: SpanKind.SERVER,
    attributes: { 'http.request.method': 'GET', 'http.route': '/orders/:id' },
  });
  const inside = trace.setSpan(context.active(), request);
  const call = tracer.startSpan('SELECT orders', { kind: SpanKind.CLIENT }, inside);
  call.setStatus({ code: SpanStatusCode.ERROR, message: 'connection refused' });
  call.recordException(new Error('connection refused'));
  call.end();
  request.end();
  await provider.shutdown();
  const [parent, child] = [request.spanContext(), call.spanContext()];
  return [
    { name: 'GET /orders/:id', traceId: parent.traceId, spanId: parent.spanId, parentSpanId: undefined, isError: false },
    { name: 'SELECT orders', traceId: child.traceId, spanId: child.spanId, parentSpanId: parent.spanId, isError: true },
  ];
}

/** A counter, a gauge and a histogram of one reading each: orders 12, depth 3.5, durations 3, 30 and 300. */
export async function sendMetrics(exporter: PushMetricExporter, service: string): Promise<void> {
  const reader = new PeriodicExportingMetricReader({ exporter });
  const provider = new MeterProvider({ resource: resourceOf(service), readers: [reader] });
  const meter = provider.getMeter('shop');
  meter.createCounter('orders', { unit: '1' }).add(12, { region: 'eu' });
  meter.createGauge('queue.depth').record(3.5);
  const duration = meter.createHistogram('duration', { unit: 'ms', advice: { explicitBucketBoundaries: [10, 100] } });
  for (const value of [3, 30, 300]) duration.record(value);
  await provider.shutdown();
}
