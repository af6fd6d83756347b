import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import net from 'node:net';
import type { Config } from '../config/config.ts';
import { ConnectionBudget } from '../ingest/connection-budget.ts';
import { longestBodyTimeoutMs } from '../ingest/door-limits.ts';
import type { HttpDoor, HttpExchange } from '../ingest/http-exchange.ts';
import { HeliosError, problemOf } from '../lib/errors.ts';
import { Listener } from './listener.ts';

/** Also takes what serves queries, so only posts there are a door's. */
export const EVENTS_PATH = '/api/v1/events';
/** As a proxy may ask, with the origin before the path (RFC 9112, section 3.2.2). */
const ORIGIN = /^https?:\/\/[^/]*/i;

const RESERVED_FILES = 1000;
const OTLP_HTTP_PORT = 4318;
const GRPC_PORT = 4317;

export interface HttpServerOptions {
  config: Config;
  /** Doors by path. */
  doors: ReadonlyMap<string, HttpDoor>;
  /** Null where there are no doors. */
  exchange: HttpExchange | null;
  connections: ConnectionBudget;
}

export interface HttpUrls {
  url: string;
  /** Null when the port is off. */
  otlpUrl: string | null;
}

/** The HTTP ports: one for the API and the doors, past any framework, and one for the doors alone. */
export interface HttpServer {
  /** What Fastify calls to get its server. */
  serverFactory: (handler: RequestListener) => Server;
  listen(): Promise<HttpUrls>;
  /** See Listener; false when a request had to be cut off on either port. */
  close(timeout: Promise<void>, idleTimeout: Promise<void>): Promise<boolean>;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (net.isIPv4(host) && host.startsWith('127.'));
}

/** Throws unless the address is loopback, or keys protect it, or the operator insists. All doors listen on this address. */
export function checkExposure(config: Config): void {
  if (isLoopback(config.host) || config.keys.length > 0 || config.insecure) return;
  throw new HeliosError(
    'invalid_config',
    `cannot listen on ${config.host}: without API keys only loopback is allowed (configure keys, or pass --insecure)`,
    {
      details: { field: 'host' },
    },
  );
}

/** Ports of the doors beside the API; null is off. Where none is given they are free ones when the API's is. */
export function doorPorts(config: Config): { otlpHttp: number | null; grpc: number | null } {
  const portOf = (given: number | 'off' | undefined, usual: number): number | null =>
    given === 'off' ? null : (given ?? (config.port === 0 ? 0 : usual));
  return { otlpHttp: portOf(config.otlp_http_port, OTLP_HTTP_PORT), grpc: portOf(config.grpc_port, GRPC_PORT) };
}

export function readTls(config: Config): { cert: Buffer; key: Buffer } | null {
  const { tls_cert_file: certFile, tls_key_file: keyFile } = config;
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined) {
    throw new HeliosError('invalid_config', 'cannot speak TLS: tls_cert_file and tls_key_file go together', {
      details: { field: 'tls_cert_file' },
    });
  }
  try {
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (error) {
    throw new HeliosError('invalid_config', `cannot speak TLS: ${(error as Error).message}`, { cause: error });
  }
}

/** Connections must leave files for the log and the store to open, or a flood of them would stop both. */
export function createConnectionBudget(config: Config): ConnectionBudget {
  let openFiles = Infinity;
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    openFiles = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    // Not Linux: the configured number stands.
  }
  return new ConnectionBudget(Math.max(1, Math.min(config.ingest.max_connections, openFiles - RESERVED_FILES)));
}

function doorOf(doors: HttpServerOptions['doors'], { method, url = '' }: IncomingMessage): HttpDoor | undefined {
  let door = doors.get(url);
  if (door === undefined) {
    const path = url.replace(ORIGIN, '').split('?', 1)[0] as string;
    door = doors.get(path);
    if (door !== undefined && path === EVENTS_PATH && method !== 'POST') return undefined;
  } else if (method !== 'POST' && url === EVENTS_PATH) return undefined;
  return door;
}

/** On the port that has the doors alone. */
function answerNoDoor(doors: HttpServerOptions['doors'], request: IncomingMessage, response: ServerResponse): void {
  const message = `cannot find ${request.method} ${request.url?.slice(0, 200)}: this port takes POST ${[...doors.keys()].join(', ')}`;
  const body = JSON.stringify(problemOf(new HeliosError('not_found', message)));
  request.resume();
  response.writeHead(404, { 'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** Reads the certificate; throws `invalid_config` when it cannot. */
export function createHttpServer({ config, doors, exchange, connections }: HttpServerOptions): HttpServer {
  const common = {
    host: config.host,
    tls: readTls(config),
    requestTimeoutMs: longestBodyTimeoutMs(config.ingest),
    maxHeaderBytes: config.ingest.max_header,
    connections,
    continuesItself: (request: IncomingMessage) => doorOf(doors, request) !== undefined,
  };
  const serve =
    (otherwise: RequestListener): RequestListener =>
    (request, response) => {
      const door = doorOf(doors, request);
      if (door && exchange) void exchange(door, request, response);
      else otherwise(request, response);
    };
  const listeners: Listener[] = [];
  const { otlpHttp } = doorPorts(config);
  return {
    serverFactory(handler) {
      listeners.push(new Listener({ ...common, port: config.port, portKey: 'port', onRequest: serve(handler) }));
      if (otlpHttp !== null) {
        const onRequest = serve((request, response) => answerNoDoor(doors, request, response));
        listeners.push(new Listener({ ...common, port: otlpHttp, portKey: 'otlp_http_port', onRequest }));
      }
      return (listeners[0] as Listener).server;
    },
    async listen() {
      const urls: string[] = [];
      try {
        for (const listener of listeners) urls.push(await listener.listen());
      } catch (error) {
        for (const { server } of listeners) server.close();
        throw error;
      }
      return { url: urls[0] as string, otlpUrl: urls[1] ?? null };
    },
    async close(timeout, idleTimeout) {
      const inTime = await Promise.all(listeners.map((listener) => listener.close(timeout, idleTimeout)));
      return inTime.every(Boolean);
    },
  };
}
