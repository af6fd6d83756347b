import http2 from 'node:http2';
import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Admission } from '../admission.ts';
import type { IngestConfig } from '../config.ts';
import type { ConnectionBudget } from '../connection-budget.ts';
import type { DoorLimits } from '../door-limits.ts';
import type { IngestHandler } from '../handler.ts';
import type { OtlpExport } from '../otlp/export.ts';
import { errorTrailers, RESPONSE_HEADERS } from './answer.ts';
import { Call } from './call.ts';
import { createMethods } from './door.ts';
import { HANDSHAKE_TIMEOUT_MS, MAX_STREAMS_PER_SESSION, RESET_BUDGET, STREAM_WINDOW_BYTES, SWEEP_PERIOD_MS } from './limits.ts';
import { headerListBytes, isGrpcContent } from './metadata.ts';
import { SessionGuard } from './session-guard.ts';
import { stopSender } from './stop-sender.ts';

export interface GrpcServerOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** PEM; null: HTTP/2 without TLS, with prior knowledge. */
  tls: { cert: Buffer; key: Buffer } | null;
  handler: IngestHandler;
  otlpExport: OtlpExport;
  admission: Admission;
  limitsOf: (door: string) => DoorLimits;
  /** What all ports share. */
  connections: ConnectionBudget;
  config: Pick<IngestConfig, 'max_header'>;
  /** The answer of the health service. */
  isReady: () => boolean;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

export interface GrpcServer {
  /** Resolves with the URL, "http://127.0.0.1:4317". */
  listen(): Promise<string>;
  /**
   * Stops accepting, answers what was received, ends streams, and waits for calls in flight; false when `timeout` came first
   * and they were cut off.
   */
  close(timeout: Promise<void>): Promise<boolean>;
}

/**
 * gRPC over HTTP/2 (PROTOCOL-HTTP2.md of the gRPC project) for native events, OTLP, health and reflection. Our own, because the
 * usual library holds whole messages before anyone can refuse them.
 */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  return new Server(options);
}

class Server implements GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #sessions = new Map<ServerHttp2Session, SessionGuard>();
  readonly #calls = new Set<Call>();
  readonly #methods: ReturnType<typeof createMethods>;
  #stopSweeping = (): void => {};

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#methods = createMethods(options);
    const limits = {
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: MAX_STREAMS_PER_SESSION,
        maxHeaderListSize: options.config.max_header,
      },
      // The guard counts resets first; this one of the protocol library ends connections without saying why.
      streamResetBurst: 2 * RESET_BUDGET.burst,
      streamResetRate: 2 * RESET_BUDGET.perSecond,
    };
    const { tls } = options;
    this.#server = tls
      ? http2.createSecureServer({ ...limits, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
      : http2.createServer(limits);
    this.#server.on('connection', (socket: Socket) => options.connections.take(socket));
    this.#server.on('session', (session: ServerHttp2Session) => this.#onSession(session));
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => this.#onStream(stream, headers));
    this.#server.on('sessionError', (error: Error) => options.logger.debug('gRPC connection failed', { error: error.message }));
  }

  listen(): Promise<string> {
    const { host, port, tls, clock } = this.#options;
    return new Promise((resolve, reject) => {
      // It stays: an error later on is a connection that could not be accepted, and must not end the process.
      this.#server.on('error', (error: Error) => {
        const inUse = 'the port is in use: set grpc_port to another one, or to off';
        const reason = systemCode(error) === 'EADDRINUSE' ? inUse : error.message;
        const details = { field: 'grpc_port' };
        reject(new HeliosError('address_unavailable', `cannot listen on ${host}:${port}: ${reason}`, { cause: error, details }));
      });
      this.#server.listen(port, host, () => {
        this.#stopSweeping = clock.every(SWEEP_PERIOD_MS, () => this.#sweep());
        const { port: bound } = this.#server.address() as AddressInfo;
        resolve(`${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`);
      });
    });
  }

  async close(timeout: Promise<void>): Promise<boolean> {
    this.#stopSweeping();
    const closed = new Promise<boolean>((resolve) => {
      this.#server.close(() => resolve(true));
    });
    for (const call of this.#calls) call.drain();
    for (const session of this.#sessions.keys()) session.close();
    const inTime = await Promise.race([closed, timeout.then(() => false)]);
    if (!inTime) for (const session of this.#sessions.keys()) session.destroy();
    await closed;
    return inTime;
  }

  #sweep(): void {
    for (const guard of this.#sessions.values()) guard.sweep();
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.set(session, new SessionGuard(session, this.#options.clock));
    session.on('close', () => this.#sessions.delete(session));
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A reset stream is an event of its own: 'close'.
    stream.on('error', () => {});
    const guard = stream.session && this.#sessions.get(stream.session as ServerHttp2Session);
    if (!guard || stream.closed || stream.destroyed) return;
    guard.callOpened();
    stream.on('close', () => guard.callClosed(stream.rstCode));
    const { clock } = this.#options;
    const path = headers[':path'] ?? '';
    const method = this.#methods.get(path);
    if (headerListBytes(headers) > this.#options.config.max_header) refuse(stream, { ':status': 431 }, clock);
    else if (headers[':method'] !== 'POST') refuse(stream, { ':status': 405, allow: 'POST' }, clock);
    else if (!isGrpcContent(headers['content-type'])) refuse(stream, { ':status': 415 }, clock);
    else if (!method) {
      const unknown = new HeliosError('method_not_allowed', `cannot call ${path.slice(0, 256)}: there is no such method`);
      refuse(stream, { ...RESPONSE_HEADERS, ...errorTrailers(unknown) }, clock);
    } else {
      const peer = stream.session?.socket.remoteAddress ?? '';
      const call = new Call(stream, headers, method, peer, this.#options);
      this.#calls.add(call);
      stream.on('close', () => this.#calls.delete(call));
    }
  }
}

/** Answers with headers alone; what the client still sends is not read. */
function refuse(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders, clock: Clock): void {
  stream.respond(headers, { endStream: true });
  stopSender(stream, clock);
}
