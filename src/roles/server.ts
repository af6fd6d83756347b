import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import { HeliosError, systemCode } from '../lib/errors.ts';

const INGEST_PATH = '/api/v1/events';
/** Also as a proxy asks for it, with the origin before the path (RFC 9112, section 3.2.2). */
const INGEST_URL = /^(?:https?:\/\/[^/]*)?\/api\/v1\/events(?:\?|$)/i;
/** How much later than `body_timeout` a slow request may be cut off, as a share of it; Node.js looks every 30 s by itself. */
const TIMEOUT_SLACK = 0.1;
const MAX_TIMEOUT_CHECK_MS = 30_000;

export interface HttpServerOptions {
  config: Config;
  /** Takes `POST /api/v1/events`; everything else goes to the console. */
  ingest: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** One server for both: the hot ingest route past any framework, the rest through the console's. */
export interface HttpServer {
  /** What Fastify calls to get its server. */
  serverFactory: (handler: RequestListener) => Server;
  listen(): Promise<string>;
  /**
   * Stops accepting and waits for requests in flight; false when `timeout` came first and they were cut off. Connections on
   * which no request is in flight at `idleTimeout` are closed then.
   */
  close(timeout: Promise<void>, idleTimeout: Promise<void>): Promise<boolean>;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (net.isIPv4(host) && host.startsWith('127.'));
}

/** Throws unless the address is loopback, or keys protect it, or the operator insists. */
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

function readTls(config: Config): { cert: Buffer; key: Buffer } | null {
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

function startListening(server: Server, config: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const reason = systemCode(error) === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(
        new HeliosError('address_unavailable', `cannot listen on ${config.host}:${config.port}: ${reason}`, { cause: error }),
      );
    });
    server.listen(config.port, config.host, () => {
      const { port } = server.address() as AddressInfo;
      const host = config.host.includes(':') ? `[${config.host}]` : config.host;
      resolve(`${config.tls_cert_file === undefined ? 'http' : 'https'}://${host}:${port}`);
    });
  });
}

/** The same for a TLS socket and the one below it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function isIngest({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && (url === INGEST_PATH || INGEST_URL.test(url));
}

/** What Node.js takes, in whole milliseconds; it waits for ever at 0. */
function requestTimeouts(timeoutMs: number): http.ServerOptions {
  if (timeoutMs === Infinity) return { requestTimeout: 0, headersTimeout: 0 };
  const limitMs = Math.max(1, Math.ceil(timeoutMs));
  const checkMs = Math.min(MAX_TIMEOUT_CHECK_MS, Math.ceil(limitMs * TIMEOUT_SLACK));
  return { requestTimeout: limitMs, headersTimeout: limitMs, connectionsCheckingInterval: checkMs };
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { config, ingest } = options;
  const inFlight = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let isStopping = false;

  const track = (response: ServerResponse): void => {
    inFlight.add(response);
    response.shouldKeepAlive = !isStopping && response.shouldKeepAlive;
    response.once('close', () => inFlight.delete(response));
  };

  function serverFactory(handler: RequestListener): Server {
    const listener: RequestListener = (request, response) => {
      track(response);
      if (isIngest(request)) void ingest(request, response);
      else handler(request, response);
    };
    const tls = readTls(config);
    const limits = {
      ...requestTimeouts(config.ingest.body_timeout),
      keepAliveTimeout: 120_000,
      noDelay: true,
    };
    const created = tls ? https.createServer({ ...limits, ...tls }) : http.createServer(limits);
    created.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    created.on('request', listener);
    created.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      // The ingest door looks at the headers first, so that a refused body is never sent.
      if (!isIngest(request)) response.writeContinue();
      listener(request, response);
    });
    server = created;
    return created;
  }

  /** `closeIdleConnections` leaves those alone on which nothing was ever sent, and `close` would wait for them. */
  function endIdle(): void {
    const busy = new Set([...inFlight].map(({ req }) => peerOf(req.socket)));
    for (const socket of sockets) if (!busy.has(peerOf(socket))) socket.destroy();
  }

  async function close(timeout: Promise<void>, idleTimeout: Promise<void>): Promise<boolean> {
    const listening = server;
    if (!listening) return true;
    isStopping = true;
    for (const response of inFlight) response.shouldKeepAlive = false;
    const closed = new Promise<boolean>((resolve) => {
      listening.close(() => resolve(true));
    });
    listening.closeIdleConnections();
    void idleTimeout.then(endIdle);
    const inTime = await Promise.race([closed, timeout.then(() => false)]);
    if (!inTime) listening.closeAllConnections();
    return inTime;
  }

  return {
    serverFactory,
    listen: () => startListening(server as Server, config),
    close,
  };
}
