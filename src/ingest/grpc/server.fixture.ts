import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { CallOptions, ClientDuplexStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { logConfigSchema } from '../../log/config.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded-log.ts';
import type { EventLog } from '../../log/event-log.ts';
import { ConnectionBudget } from '../connection-budget.ts';
import { createShared } from '../door.fixture.ts';
import type { DoorFixtureOptions } from '../door.fixture.ts';
import type { OtlpExport } from '../otlp/export.ts';
import type { PendingBytes } from '../pending-bytes.ts';
import { frame } from './answer.ts';
import { createGrpcServer } from './server.ts';
import type { GrpcServer } from './server.ts';

const PROTO = path.join(import.meta.dirname, '../../../proto');
const FILES = [
  'helios/v1/events.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
  'opentelemetry/proto/collector/logs/v1/logs_service.proto',
  'opentelemetry/proto/collector/trace/v1/trace_service.proto',
  'opentelemetry/proto/collector/metrics/v1/metrics_service.proto',
];
const DEFINITIONS = loadSync(FILES, { includeDirs: [PROTO], keepCase: true, longs: Number, enums: String, oneofs: true });

type Message = Record<string, unknown>;

/** By its path without the first slash, "helios.v1.EventService/Publish". */
export function methodOf(name: string): MethodDefinition<object, Message> {
  const [service = '', method = ''] = name.split('/');
  return (DEFINITIONS[service] as Record<string, MethodDefinition<object, Message>>)[method] as MethodDefinition<object, Message>;
}

export interface GrpcFixtureOptions extends DoorFixtureOptions {
  tls?: { cert: Buffer; key: Buffer };
  logger?: Logger;
  port?: number;
  otlpExport?: OtlpExport;
  maxConnections?: number;
}

export interface GrpcFixture extends AsyncDisposable {
  url: string;
  /** "127.0.0.1:4317" */
  address: string;
  log: EventLog;
  pending: PendingBytes;
  state: { isStopping: boolean; isReady: boolean };
  server: GrpcServer;
  /** A client of @grpc/grpc-js, closed with the fixture. */
  client(options?: object): Client;
}

export const EVENT = { timestamp: timestampOf(Date.now()), service: 'shop', level: 'INFO', message: 'hello' };

export function timestampOf(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
}

export function metadataOf(values: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}

/** Rejects with a ServiceError. */
export function callUnary(
  client: Client,
  name: string,
  request: object,
  metadata: Record<string, string> = {},
  options: CallOptions = {},
): Promise<Message> {
  const { path: to, requestSerialize, responseDeserialize } = methodOf(name);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(to, requestSerialize, responseDeserialize, request, metadataOf(metadata), options, (error, answer) =>
      error ? reject(error) : resolve(answer ?? {}),
    );
  });
}

export function openStream(client: Client, name: string, options: CallOptions = {}): ClientDuplexStream<object, Message> {
  const { path: to, requestSerialize, responseDeserialize } = methodOf(name);
  return client.makeBidiStreamRequest(to, requestSerialize, responseDeserialize, new Metadata(), options);
}

const unexpected = (): Promise<never> => Promise.reject(new Error('no OTLP is expected'));
const NO_OTLP: OtlpExport = { logs: unexpected, traces: unexpected, metrics: unexpected };

/** The gRPC server on a free port in front of an embedded log in a temporary directory. */
export async function openGrpc(options: GrpcFixtureOptions = {}): Promise<GrpcFixture> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-grpc-'));
  const clock = options.clock ?? systemClock;
  const log = await openEmbeddedLog({
    dir,
    config: logConfigSchema.parse({}),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 3_600_000, maxKeys: 1000 },
  });
  const { handler, admission, limitsOf, config, pending, state } = createShared(options, options.wrapLog?.(log) ?? log, clock);
  const ready = Object.assign(state, { isReady: true });
  const server = createGrpcServer({
    host: '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls ?? null,
    handler,
    otlpExport: options.otlpExport ?? NO_OTLP,
    admission,
    limitsOf,
    connections: new ConnectionBudget(options.maxConnections ?? 1000),
    config,
    isReady: () => ready.isReady,
    clock,
    logger: options.logger ?? silentLogger,
    metrics: silentMetrics,
  });
  const release = async (): Promise<void> => {
    await log[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  };
  const url = await server.listen().catch(async (error: unknown) => {
    await release();
    throw error;
  });
  const address = new URL(url).host;
  const clients: Client[] = [];
  return {
    url,
    address,
    log,
    pending,
    server,
    state: ready,
    client(channelOptions: object = {}): Client {
      const client = new Client(address, credentials.createInsecure(), channelOptions);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await server.close(Promise.resolve());
      await release();
    },
  };
}

/** What a call got: headers, messages without their prefix, trailers, and the code it was reset with. */
export interface RawAnswer {
  headers: IncomingHttpHeaders;
  data: Buffer;
  trailers: IncomingHttpHeaders;
  resetCode: number;
}

/** Calls over bare HTTP/2, where anything can be sent. */
export class RawClient {
  readonly session: ClientHttp2Session;

  constructor(url: string) {
    this.session = http2.connect(url);
    this.session.on('error', () => {});
  }

  open(requestPath: string, headers: Record<string, string> = {}): { stream: ClientHttp2Stream; answer: Promise<RawAnswer> } {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': requestPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const answer: RawAnswer = { headers: {}, data: Buffer.alloc(0), trailers: {}, resetCode: 0 };
    stream.on('response', (received) => (answer.headers = received));
    stream.on('trailers', (received) => (answer.trailers = received));
    stream.on('data', (chunk: Buffer) => (answer.data = Buffer.concat([answer.data, chunk])));
    stream.on('error', () => {});
    const closed = new Promise<RawAnswer>((resolve) => {
      stream.on('close', () => resolve({ ...answer, resetCode: stream.rstCode }));
    });
    return { stream, answer: closed };
  }

  /** One call with a body of any bytes. */
  call(requestPath: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const { stream, answer } = this.open(requestPath, headers);
    stream.end(body);
    return answer;
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** `grpc-status`, wherever it was sent. */
export function statusOf({ headers, trailers }: RawAnswer): number {
  return Number(trailers['grpc-status'] ?? headers['grpc-status'] ?? NaN);
}

/** A helios.v1.PublishRequest as it travels. */
export function publishFrame(request: object): Buffer {
  return frame(methodOf('helios.v1.EventService/Publish').requestSerialize(request));
}
