import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { logConfigSchema } from '../log/config.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import type { EventLog } from '../log/event-log.ts';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { createAdmission } from './admission.ts';
import { ClientLedger } from './clients.ts';
import { ingestConfigSchema } from './config.ts';
import type { ApiKey } from './config.ts';
import { createIngestHandler } from './handler.ts';
import type { IngestHandler } from './handler.ts';
import { createAuthorize } from './keys.ts';
import { PendingBytes } from './pending-bytes.ts';
import { ClientLimits } from './token-bucket.ts';
import { createDoorLimits, longestBodyTimeoutMs } from './door-limits.ts';
import type { DoorLimits } from './door-limits.ts';
import { createHttpExchange } from './http-exchange.ts';
import type { HttpDoor } from './http-exchange.ts';
import { createNativeDoor } from './http/door.ts';

export interface DoorFixtureOptions {
  config?: Record<string, unknown>;
  keys?: ApiKey[];
  clock?: Clock;
  /** Stands between the door and the embedded log. */
  wrapLog?: (log: EventLog) => EventLog;
  metricsLog?: EventLog;
  /** Doors by path. */
  createDoors?: (handler: IngestHandler, limitsOf: (door: string) => DoorLimits) => Record<string, HttpDoor>;
}

export interface Answer<T> {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: T;
}

export interface DoorFixture extends AsyncDisposable {
  port: number;
  log: EventLog;
  metricsLog: EventLog;
  pending: PendingBytes;
  ledger: ClientLedger;
  state: { isStopping: boolean };
  /** Calls back once, when the server has seen a connection end. */
  onConnectionClose(listener: (value?: unknown) => void): void;
  postBytes(path: string, body: string | Uint8Array, headers?: Record<string, string>, method?: string): Promise<Answer<Buffer>>;
  /** To the native door. */
  post(body: string | Uint8Array, headers?: Record<string, string>, method?: string): Promise<Answer<Record<string, unknown>>>;
}

const EVENTS = '/api/v1/events';

export const EVENT = {
  timestamp: new Date().toISOString(),
  service: 'shop',
  level: 'INFO',
  message: 'hello',
  metadata: { latency_ms: 5 },
};

/** What all doors of a process share. */
export function createShared(options: DoorFixtureOptions, log: EventLog, clock: Clock) {
  const config = ingestConfigSchema.parse(options.config ?? {});
  const { events_per_second: eventsPerSecond, bytes_per_second: bytesPerSecond, burst: burstMs } = config;
  const limitsOf = createDoorLimits(config);
  const handler = createIngestHandler({
    log,
    ...(options.metricsLog && { metricsLog: options.metricsLog }),
    scanner: createJsonScanner(createNames()),
    clock,
    metrics: silentMetrics,
    futureToleranceMs: 600_000,
    retentionMs: 86_400_000,
    maxEventsOf: (door) => limitsOf(door).maxEvents,
  });
  const pending = new PendingBytes(config.max_pending);
  const ledger = new ClientLedger(clock, silentMetrics);
  const state = { isStopping: false };
  const admission = createAdmission({
    authorize: createAuthorize(options.keys ?? []),
    checkOpen: () => handler.checkOpen(),
    isStopping: () => state.isStopping,
    limits: new ClientLimits({ eventsPerSecond, bytesPerSecond, burstMs }, clock),
    pending,
    ledger,
    clock,
    maxInFlight: config.max_in_flight,
  });
  const exchange = createHttpExchange({
    admission,
    limitsOf,
    serverTimeoutMs: longestBodyTimeoutMs(config),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  return { handler, pending, ledger, state, exchange, admission, limitsOf, config };
}

/** Doors by path, the native one unless others are given, on a free port in front of an embedded log in a temporary directory. */
export async function openDoor(options: DoorFixtureOptions = {}): Promise<DoorFixture> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-door-'));
  const clock = options.clock ?? systemClock;
  const logOptions = {
    dir,
    config: logConfigSchema.parse({}),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 3_600_000, maxKeys: 1000 },
  };
  const log = await openEmbeddedLog(logOptions);
  const metricsLog = await openEmbeddedLog({ ...logOptions, name: 'metrics' });
  const shared = createShared({ ...options, metricsLog }, options.wrapLog?.(log) ?? log, clock);
  const { handler, exchange, limitsOf, pending, ledger, state } = shared;
  const doors = options.createDoors?.(handler, limitsOf) ?? { [EVENTS]: createNativeDoor(handler) };
  const server = http.createServer();
  const serve = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    void exchange(doors[request.url ?? ''] as HttpDoor, request, response);
  server.on('request', serve).on('checkContinue', serve);
  let onConnectionClose: (value?: unknown) => void = () => {};
  server.on('connection', (socket: Socket) => socket.on('close', () => setImmediate(onConnectionClose)));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    log,
    metricsLog,
    pending,
    ledger,
    state,
    onConnectionClose: (listener) => (onConnectionClose = listener),
    postBytes: (to, body, headers = {}, method = 'POST') => send(port, to, body, headers, method),
    post: async (body, headers = {}, method = 'POST') => {
      const answer = await send(port, EVENTS, body, headers, method);
      return { ...answer, body: JSON.parse(answer.body.toString('utf8')) as Record<string, unknown> };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await log[Symbol.asyncDispose]();
      await metricsLog[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function send(
  port: number,
  to: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
  method: string,
): Promise<Answer<Buffer>> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path: to, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
