import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ConnectionBudget } from '../ingest/connection-budget.ts';
import { HeliosError, systemCode } from '../lib/errors.ts';

/** How much later than its time a slow request may be cut off, as a share of it; Node.js looks every 30 s by itself. */
const TIMEOUT_SLACK = 0.1;
const MAX_TIMEOUT_CHECK_MS = 30_000;
const KEEP_ALIVE_MS = 120_000;

export interface ListenerOptions {
  host: string;
  port: number;
  /** The configuration key of the port, for messages. */
  portKey: string;
  tls: { cert: Buffer; key: Buffer } | null;
  /** For a whole request to arrive, milliseconds. */
  requestTimeoutMs: number;
  maxHeaderBytes: number;
  /** What all ports share. */
  connections: ConnectionBudget;
  onRequest: RequestListener;
  /** True for requests whose handler answers "Expect: 100-continue" itself, so that a refused body is never sent. */
  continuesItself: (request: IncomingMessage) => boolean;
}

/** The port and its configuration key in one message. */
export function cannotListen(host: string, port: number, portKey: string, error: unknown): HeliosError {
  const inUse = portKey === 'port' ? 'the port is in use' : `the port is in use: set ${portKey} to another one, or to off`;
  const reason = systemCode(error) === 'EADDRINUSE' ? inUse : (error as Error).message;
  return new HeliosError('address_unavailable', `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    details: { field: portKey },
  });
}

/** What Node.js takes, in whole milliseconds; it waits for ever at 0. */
function requestTimeouts(timeoutMs: number): http.ServerOptions {
  if (timeoutMs === Infinity) return { requestTimeout: 0, headersTimeout: 0 };
  const limitMs = Math.max(1, Math.ceil(timeoutMs));
  const checkMs = Math.min(MAX_TIMEOUT_CHECK_MS, Math.ceil(limitMs * TIMEOUT_SLACK));
  return { requestTimeout: limitMs, headersTimeout: limitMs, connectionsCheckingInterval: checkMs };
}

/** The same for a TLS socket and the one below it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** One HTTP port: its limits, and an end that waits for requests in flight. */
export class Listener {
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #inFlight = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #isStopping = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls, maxHeaderBytes } = options;
    const limits: http.ServerOptions = {
      ...requestTimeouts(options.requestTimeoutMs),
      maxHeaderSize: maxHeaderBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    };
    this.server = tls ? https.createServer({ ...limits, ...tls }) : http.createServer(limits);
    this.server.on('connection', (socket: Socket) => this.#track(socket));
    this.server.on('request', (request, response) => this.#serve(request, response));
    this.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (!options.continuesItself(request)) response.writeContinue();
      this.#serve(request, response);
    });
  }

  /** Resolves to the URL. */
  listen(): Promise<string> {
    const { host, port, portKey, tls } = this.#options;
    return new Promise((resolve, reject) => {
      // It stays: an error later on is a connection that could not be accepted, and must not end the process.
      this.server.on('error', (error) => reject(cannotListen(host, port, portKey, error)));
      this.server.listen(port, host, () => {
        const address = this.server.address() as AddressInfo;
        resolve(`${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`);
      });
    });
  }

  /**
   * Stops accepting and waits for requests in flight; false when `timeout` came first and they were cut off. Connections on
   * which no request is in flight at `idleTimeout` are closed then.
   */
  async close(timeout: Promise<void>, idleTimeout: Promise<void>): Promise<boolean> {
    this.#isStopping = true;
    for (const response of this.#inFlight) response.shouldKeepAlive = false;
    const closed = new Promise<boolean>((resolve) => {
      this.server.close(() => resolve(true));
    });
    this.server.closeIdleConnections();
    void idleTimeout.then(() => this.#endIdle());
    const inTime = await Promise.race([closed, timeout.then(() => false)]);
    if (!inTime) this.server.closeAllConnections();
    return inTime;
  }

  #track(socket: Socket): void {
    if (!this.#options.connections.take(socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#inFlight.add(response);
    if (this.#isStopping) response.shouldKeepAlive = false;
    response.once('close', () => this.#inFlight.delete(response));
    this.#options.onRequest(request, response);
  }

  /** `closeIdleConnections` leaves those alone on which nothing was ever sent, and `close` would wait for them. */
  #endIdle(): void {
    const busy = new Set([...this.#inFlight].map(({ req }) => peerOf(req.socket)));
    for (const socket of this.#sockets) if (!busy.has(peerOf(socket))) socket.destroy();
  }
}
