import type { Prng } from '../src/lib/prng.ts';
import { publishRequest } from './load-native.ts';
import { eventLines } from './load-ndjson.ts';
import { logsRequest, metricsRequest, tracesRequest } from './load-otlp.ts';
import { writeRequest } from './load-remote-write.ts';
import type { TimeForm } from './load-time.ts';

export interface LoadDoor {
  transport: 'http' | 'grpc' | 'grpc-stream';
  path: string;
  /** Header lines of a request over HTTP; gRPC needs none. */
  headers: readonly string[];
  /** A body of so many records with placeholders, `withKey` with an idempotency key in it where that is its place. */
  body: (records: number, prng: Prng, withKey: boolean) => Buffer;
  timeForm: TimeForm;
  /** Places of a record in which its id stands. */
  idsPerRecord: number;
  /** Points of series, which are not events. */
  isMetrics: boolean;
  takesKeys: boolean;
}

const PROTOBUF = ['Content-Type: application/x-protobuf'];
const EVENTS = { isMetrics: false, takesKeys: false, timeForm: 'nanos' } as const;
const POINTS = { isMetrics: true, takesKeys: false, timeForm: 'nanos', idsPerRecord: 0 } as const;
const LOGS = { ...EVENTS, body: logsRequest, idsPerRecord: 1 };
/** Trace id, span id and an attribute. */
const TRACES = { ...EVENTS, body: tracesRequest, idsPerRecord: 3 };
const NATIVE_GRPC = {
  ...EVENTS,
  headers: [],
  body: publishRequest,
  timeForm: 'timestamp',
  idsPerRecord: 1,
  takesKeys: true,
} as const;
const METRICS = { ...POINTS, body: metricsRequest };

function overHttp(path: string): { transport: 'http'; path: string; headers: readonly string[] } {
  return { transport: 'http', path, headers: PROTOBUF };
}

function overGrpc(service: string): { transport: 'grpc'; path: string; headers: readonly string[] } {
  return { transport: 'grpc', path: `/opentelemetry.proto.collector.${service}/Export`, headers: [] };
}

/** Every way in. */
export const LOAD_DOORS = {
  http: {
    ...EVENTS,
    transport: 'http',
    path: '/api/v1/events',
    headers: ['Content-Type: application/x-ndjson'],
    body: eventLines,
    timeForm: 'text',
    idsPerRecord: 1,
    takesKeys: true,
  },
  grpc: { ...NATIVE_GRPC, transport: 'grpc', path: '/helios.v1.EventService/Publish' },
  'grpc-stream': { ...NATIVE_GRPC, transport: 'grpc-stream', path: '/helios.v1.EventService/PublishStream' },
  'otlp-http-logs': { ...LOGS, ...overHttp('/v1/logs') },
  'otlp-http-traces': { ...TRACES, ...overHttp('/v1/traces') },
  'otlp-http-metrics': { ...METRICS, ...overHttp('/v1/metrics') },
  'otlp-grpc-logs': { ...LOGS, ...overGrpc('logs.v1.LogsService') },
  'otlp-grpc-traces': { ...TRACES, ...overGrpc('trace.v1.TraceService') },
  'otlp-grpc-metrics': { ...METRICS, ...overGrpc('metrics.v1.MetricsService') },
  'remote-write': {
    ...POINTS,
    transport: 'http',
    path: '/api/v1/write',
    headers: [...PROTOBUF, 'Content-Encoding: snappy', 'X-Prometheus-Remote-Write-Version: 0.1.0'],
    body: writeRequest,
    timeForm: 'varint',
  },
} as const satisfies Record<string, LoadDoor>;

export type DoorName = keyof typeof LOAD_DOORS;
export const DOOR_NAMES = Object.keys(LOAD_DOORS) as DoorName[];

export function isDoorName(name: string): name is DoorName {
  return Object.hasOwn(LOAD_DOORS, name);
}
