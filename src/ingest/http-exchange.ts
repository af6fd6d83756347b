import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Admission, Ticket } from './admission.ts';
import type { DoorLimits } from './door-limits.ts';
import type { Sender, Verdict } from './handler.ts';
import { decompress } from './decompression.ts';
import { ClientGone, encodingOf, isTakenOff, readBody } from './http-body.ts';
import type { Encoding } from './http-body.ts';
import { releaseBytes } from './owned-bytes.ts';
import { BYTES_RECEIVED, REQUEST_SECONDS, REQUESTS } from './metrics.ts';

/**
 * Unread body that is read and thrown away so that the client gets to read its answer; past it the connection ends. Many
 * clients read no answer before they have sent everything, and see a reset connection instead of "too large".
 */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

/** A request that a door is to judge, after everything that is the same at all doors. */
export interface DoorRequest {
  headers: IncomingHttpHeaders;
  sender: Sender;
  /** Decompressed; the door owns it. */
  body: Uint8Array;
  /** For what the door itself has to hold beyond the body. */
  ticket: Ticket;
}

export interface HttpAnswer {
  status: number;
  /** Names and values by turns, without Content-Length. */
  headers: readonly string[];
  body: string | Uint8Array;
}

/** What makes one HTTP door different from another. It keeps nothing between requests. */
export interface HttpDoor {
  /** The door in metrics, limits and GET /api/v1/clients. */
  readonly name: string;
  /** Content codings that may lie on the body; all others are answered 415. */
  readonly encodings: readonly Encoding[];
  /** Throws `unsupported_media_type` before the body is read. */
  check(headers: IncomingHttpHeaders): void;
  take(request: DoorRequest): Promise<Verdict>;
  /** Throws HeliosError when the verdict is an error here. */
  answer(verdict: Verdict, headers: IncomingHttpHeaders): HttpAnswer;
  problem(error: HeliosError, headers: IncomingHttpHeaders): HttpAnswer;
}

export interface HttpExchangeOptions {
  admission: Admission;
  limitsOf: (door: string) => DoorLimits;
  /** The time that the HTTP server itself gives a request, milliseconds: doors with the same need no timer of their own. */
  serverTimeoutMs: number;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** Serves one request at a door. Never rejects: every failure becomes an answer. */
export type HttpExchange = (door: HttpDoor, request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What all HTTP doors do alike: key, limits, memory, body, decompression, counting, and the form of answers. */
export function createHttpExchange(options: HttpExchangeOptions): HttpExchange {
  const { admission, limitsOf, serverTimeoutMs, clock, logger, metrics } = options;

  async function judge(
    door: HttpDoor,
    request: IncomingMessage,
    response: ServerResponse,
    sender: Sender,
    ticket: Ticket,
  ): Promise<HttpAnswer> {
    const { headers } = request;
    door.check(headers);
    const encoding = encodingOf(headers['content-encoding'], door.encodings);
    const { maxBodyBytes, bodyTimeoutMs } = limitsOf(door.name);
    const timeoutMs = bodyTimeoutMs === serverTimeoutMs ? null : bodyTimeoutMs;
    const sent = await readBody(request, { maxBytes: maxBodyBytes, timeoutMs }, ticket, clock, () => {
      if (headers.expect !== undefined) response.writeContinue();
    });
    // The handler gives the bytes back when they are stored.
    const sentBytes = sent.length;
    metrics.add(BYTES_RECEIVED, sentBytes, labelsOf(door.name));
    const body = isTakenOff(encoding)
      ? await decompress(sent, encoding, { limitBytes: maxBodyBytes, memory: ticket, what: 'body' })
      : sent;
    const verdict = await door.take({ headers, sender, body, ticket });
    const { accepted, rejectedCount, rejections } = verdict.replayed ? NOTHING_NEW : verdict;
    ticket.settle({ accepted, rejectedCount, rejections, sentBytes });
    const answer = door.answer(verdict, headers);
    releaseBytes(sent);
    releaseBytes(body);
    return answer;
  }

  function fail(door: HttpDoor, request: IncomingMessage, response: ServerResponse, error: unknown): string {
    if (error instanceof ClientGone) return 'client_gone';
    const known =
      error instanceof HeliosError
        ? error
        : new HeliosError('internal', 'cannot take the request: an unexpected failure', { cause: error });
    if (known.code === 'internal') logger.error('ingest request failed', { error: String((error as Error)?.stack ?? error) });
    if (!response.headersSent) writeProblem(request, response, known, door.problem(known, request.headers));
    return known.code;
  }

  return async (door, request, response) => {
    const startedMs = clock.monotonicMs();
    let code = 'ok';
    let ticket: Ticket | null = null;
    try {
      if (request.method !== 'POST') throw new HeliosError('method_not_allowed', `cannot ${request.method} here: use POST`);
      const sender = admission.identify(request.headers, request.socket.remoteAddress ?? '', door.name);
      ticket = admission.admit(sender, door.name);
      writeAnswer(response, await judge(door, request, response, sender, ticket));
    } catch (error) {
      if (error instanceof HeliosError) ticket?.fail(error);
      code = fail(door, request, response, error);
    } finally {
      ticket?.[Symbol.dispose]();
    }
    metrics.add(REQUESTS, 1, { door: door.name, code });
    metrics.observe(REQUEST_SECONDS, (clock.monotonicMs() - startedMs) / 1000, labelsOf(door.name));
  };
}

/** A replay was counted when it came first. */
const NOTHING_NEW = { accepted: 0, rejectedCount: 0, rejections: [] };

const labels = new Map<string, { door: string }>();

function labelsOf(door: string): { door: string } {
  let known = labels.get(door);
  if (!known) labels.set(door, (known = { door }));
  return known;
}

function writeAnswer(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(status, [...headers, 'Content-Length', String(length)]).end(body);
}

function writeProblem(request: IncomingMessage, response: ServerResponse, error: HeliosError, answer: HttpAnswer): void {
  const headers = [...answer.headers];
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterSeconds))));
  if (error.code === 'unauthenticated') headers.push('WWW-Authenticate', 'Bearer');
  if (error.code === 'method_not_allowed') headers.push('Allow', 'POST');
  if (error.code === 'timeout') headers.push('Connection', 'close');
  else if (!request.complete) drain(request, headers);
  writeAnswer(response, { ...answer, headers });
}

function drain(request: IncomingMessage, headers: string[]): void {
  const announced = Number(request.headers['content-length'] ?? Infinity);
  if (announced > MAX_DRAINED_BYTES) headers.push('Connection', 'close');
  let drained = 0;
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > MAX_DRAINED_BYTES) request.destroy();
  });
  request.on('error', () => request.destroy());
}
