import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { logConfigSchema } from '../../log/config.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded-log.ts';
import type { EventLog } from '../../log/event-log.ts';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { createAdmission } from '../admission.ts';
import { ClientLedger } from '../clients.ts';
import { ingestConfigSchema } from '../config.ts';
import type { ApiKey } from '../config.ts';
import { createIngestHandler } from '../handler.ts';
import { createAuthorize } from '../keys.ts';
import { PendingBytes } from '../pending-bytes.ts';
import { ClientLimits } from '../token-bucket.ts';
import { createHttpDoor } from './door.ts';

export interface DoorFixtureOptions {
  config?: Record<string, unknown>;
  keys?: ApiKey[];
  clock?: Clock;
  /** Stands between the door and the embedded log. */
  wrapLog?: (log: EventLog) => EventLog;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}

export interface DoorFixture extends AsyncDisposable {
  port: number;
  log: EventLog;
  pending: PendingBytes;
  ledger: ClientLedger;
  state: { isStopping: boolean };
  /** Calls back once, when the server has seen a connection end. */
  onConnectionClose(listener: (value?: unknown) => void): void;
  post(body: string | Uint8Array, headers?: Record<string, string>, method?: string): Promise<Answer>;
}

export const EVENT = {
  timestamp: new Date().toISOString(),
  service: 'shop',
  level: 'INFO',
  message: 'hello',
  metadata: { latency_ms: 5 },
};

/** The native door on a free port in front of an embedded log in a temporary directory. */
export async function openDoor(options: DoorFixtureOptions = {}): Promise<DoorFixture> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-door-'));
  const clock = options.clock ?? systemClock;
  const embedded = await openEmbeddedLog({
    dir,
    config: logConfigSchema.parse({}),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 3_600_000, maxKeys: 1000 },
  });
  const log = options.wrapLog?.(embedded) ?? embedded;
  const config = ingestConfigSchema.parse(options.config ?? {});
  const scanner = createJsonScanner(createNames());
  const handler = createIngestHandler({
    log,
    scanner,
    clock,
    metrics: silentMetrics,
    futureToleranceMs: 600_000,
    retentionMs: 86_400_000,
  });
  const pending = new PendingBytes(config.max_pending);
  const state = { isStopping: false };
  const ledger = new ClientLedger(clock, silentMetrics);
  const admission = createAdmission({
    authorize: createAuthorize(options.keys ?? []),
    checkOpen: () => handler.checkOpen(),
    isStopping: () => state.isStopping,
    limits: new ClientLimits(
      { eventsPerSecond: config.events_per_second, bytesPerSecond: config.bytes_per_second, burstMs: config.burst },
      clock,
    ),
    pending,
    ledger,
    clock,
    maxInFlight: config.max_in_flight,
  });
  const door = createHttpDoor({ handler, admission, config, clock, logger: silentLogger, metrics: silentMetrics });
  const server = http.createServer((request, response) => void door(request, response));
  let onConnectionClose: (value?: unknown) => void = () => {};
  server.on('connection', (socket: Socket) => socket.on('close', () => setImmediate(onConnectionClose)));
  server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => void door(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    log: embedded,
    pending,
    ledger,
    state,
    onConnectionClose: (listener) => (onConnectionClose = listener),
    post: (body, headers = {}, method = 'POST') => send(port, body, headers, method),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      await embedded[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function send(port: number, body: string | Uint8Array, headers: Record<string, string>, method: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path: '/api/v1/events', method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: JSON.parse(text) as Record<string, unknown>,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
