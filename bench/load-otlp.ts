import type { Prng } from '../src/lib/prng.ts';
import { drawEvent, pick, LOAD_SERVICES } from './load-event.ts';
import type { LoadEvent } from './load-event.ts';
import { ID_PLACEHOLDER, nanosTimePlaceholder, VALUE_PLACEHOLDER } from './load-placeholder.ts';
import { fixed64Field, lengthField, varintField } from './protobuf-fields.ts';

/** A request holds what a collector has gathered from so many processes. */
const RESOURCES_PER_REQUEST = 5;
const POINTS_PER_METRIC = 10;
/** SeverityNumber of opentelemetry/proto/logs/v1/logs.proto. */
const SEVERITIES = { DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 } as const;
const SERVER_SPAN = 2;
const CLIENT_SPAN = 3;
const ERROR_STATUS = 2;
const CUMULATIVE = 2;
const GAUGES = ['queue.depth', 'process.memory.usage', 'jvm.threads', 'pool.connections'];
const SUMS = ['http.server.requests', 'network.io', 'messages.processed', 'cpu.time'];

function attribute(field: number, key: string, value: string | number): Buffer {
  const any = typeof value === 'string' ? lengthField(1, value) : varintField(3, value);
  return lengthField(field, lengthField(1, key), lengthField(2, any));
}

/** A service is one process on one host, as far as its labels go: a load has as many series as a fleet, not one a request. */
function resource(service: string, namespace: string): Buffer {
  const index = LOAD_SERVICES.indexOf(service);
  return lengthField(
    1,
    attribute(1, 'service.name', service),
    ...(namespace === '' ? [] : [attribute(1, 'service.namespace', namespace)]),
    attribute(1, 'service.version', `1.${index % 5}.0`),
    attribute(1, 'host.name', `host-${index % 20}`),
    attribute(1, 'telemetry.sdk.language', 'nodejs'),
  );
}

const SCOPE = lengthField(1, lengthField(1, 'bench'), lengthField(2, '1.0.0'));

/** The common frame of all three signals: resources, each with one scope and its share of `records`. */
function exportRequest(
  { records, prng, namespace = '' }: { records: number; prng: Prng; namespace?: string },
  recordsOf: (count: number) => Buffer[],
): Buffer {
  const resources = Math.min(records, RESOURCES_PER_REQUEST);
  const counts = Array.from({ length: resources }, (_, i) => Math.floor((records + i) / resources));
  return Buffer.concat(
    counts.map((count) =>
      lengthField(1, resource(pick(LOAD_SERVICES, prng), namespace), lengthField(2, SCOPE, ...recordsOf(count))),
    ),
  );
}

function events(count: number, prng: Prng, encode: (event: LoadEvent) => Buffer): Buffer[] {
  return Array.from({ length: count }, () => encode(drawEvent(prng)));
}

function eventAttributes(field: number, event: LoadEvent): Buffer[] {
  return [attribute(field, 'endpoint', event.endpoint), attribute(field, 'request_id', `req_${ID_PLACEHOLDER}`)];
}

function logRecord(event: LoadEvent): Buffer {
  return lengthField(
    2,
    fixed64Field(1, nanosTimePlaceholder()),
    varintField(2, SEVERITIES[event.level]),
    lengthField(3, event.level),
    lengthField(5, lengthField(1, event.message)),
    attribute(6, 'latency_ms', event.latencyMs),
    ...eventAttributes(6, event),
    fixed64Field(11, nanosTimePlaceholder()),
  );
}

/**
 * `ExportLogsServiceRequest`, opentelemetry/proto/collector/logs/v1. In a namespace of its own: the API counts the requests of a
 * service that has any, and its log records otherwise.
 */
export function logsRequest(records: number, prng: Prng): Buffer {
  return exportRequest({ records, prng, namespace: 'logs' }, (count) => events(count, prng, logRecord));
}

/** Three in four are requests that were served, the fourth is a call to another service. */
function span(event: LoadEvent, prng: Prng): Buffer {
  const isCall = prng.below(4) === 0;
  const parent = Buffer.alloc(8, 1 + prng.below(255));
  return lengthField(
    2,
    lengthField(1, parent, ID_PLACEHOLDER),
    lengthField(2, ID_PLACEHOLDER),
    ...(isCall ? [lengthField(4, parent)] : []),
    lengthField(5, isCall ? 'GET' : `GET ${event.endpoint}`),
    varintField(6, isCall ? CLIENT_SPAN : SERVER_SPAN),
    fixed64Field(7, nanosTimePlaceholder(event.latencyMs * 1000)),
    fixed64Field(8, nanosTimePlaceholder()),
    attribute(9, 'http.request.method', 'GET'),
    attribute(9, 'http.route', event.endpoint),
    attribute(9, 'request_id', `req_${ID_PLACEHOLDER}`),
    ...(event.level === 'ERROR' ? [lengthField(15, lengthField(2, event.message), varintField(3, ERROR_STATUS))] : []),
  );
}

/** `ExportTraceServiceRequest`, opentelemetry/proto/collector/trace/v1. */
export function tracesRequest(records: number, prng: Prng): Buffer {
  return exportRequest({ records, prng }, (count) => events(count, prng, (event) => span(event, prng)));
}

function point(index: number, isSum: boolean, pod: string): Buffer {
  return lengthField(
    1,
    ...(isSum ? [fixed64Field(2, nanosTimePlaceholder(3_600_000_000))] : []),
    fixed64Field(3, nanosTimePlaceholder()),
    fixed64Field(4, VALUE_PLACEHOLDER),
    attribute(7, 'k8s.pod.name', pod),
    attribute(7, 'index', `i${index}`),
  );
}

function metric(index: number, points: number, pod: string): Buffer {
  const isSum = index % 2 === 1;
  const names = isSum ? SUMS : GAUGES;
  const list = Array.from({ length: points }, (_, i) => point(i, isSum, pod));
  const data = isSum ? lengthField(7, ...list, varintField(2, CUMULATIVE), varintField(3, 1)) : lengthField(5, ...list);
  const name = `${names[(index >> 1) % names.length]}.${Math.floor(index / (2 * names.length))}`;
  return lengthField(2, lengthField(1, name), lengthField(3, '1'), data);
}

/**
 * `ExportMetricsServiceRequest`, opentelemetry/proto/collector/metrics/v1: gauges and cumulative sums in turn, ten points each.
 * About ten thousand series, which every send continues.
 */
export function metricsRequest(records: number, prng: Prng): Buffer {
  return exportRequest({ records, prng }, (count) => {
    const pod = `pod-${prng.below(2)}`;
    return Array.from({ length: Math.ceil(count / POINTS_PER_METRIC) }, (_, i) =>
      metric(i, Math.min(POINTS_PER_METRIC, count - i * POINTS_PER_METRIC), pod),
    );
  });
}
