import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Authorize } from '../../model/access.ts';
import type { IngestConfig } from '../config.ts';
import type { IngestAnswer, IngestHandler } from '../handler.ts';
import { BYTES_RECEIVED, PENDING_BYTES, REQUEST_SECONDS, REQUESTS } from '../metrics.ts';
import type { PendingBytes } from '../pending-bytes.ts';
import type { ClientLimits } from '../token-bucket.ts';
import { writeAnswer, writeProblem } from './answer.ts';
import { checkContentType, ClientGone, decompress, encodingOf, readBody } from './body.ts';

const DOOR = 'http';

export interface HttpDoorOptions {
  handler: IngestHandler;
  authorize: Authorize;
  config: IngestConfig;
  limits: ClientLimits;
  pending: PendingBytes;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** True once the process is stopping: new requests get 503. */
  isStopping: () => boolean;
}

/** `POST /api/v1/events`: native events over HTTP. Never rejects: every failure becomes an answer. */
export type HttpDoor = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const { handler, config, limits, pending, clock, logger, metrics } = options;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<IngestAnswer> {
    if (request.method !== 'POST') throw new HeliosError('method_not_allowed', `cannot ${request.method} here: use POST`);
    if (options.isStopping()) {
      throw new HeliosError('shutting_down', 'cannot take the request: the process is stopping', {
        details: { retryAfterSeconds: 5 },
      });
    }
    const { headers } = request;
    const principal = options.authorize(headers, 'ingest');
    checkContentType(headers['content-type']);
    const encoding = encodingOf(headers['content-encoding']);
    const client = principal.id === '' ? (request.socket.remoteAddress ?? '') : principal.id;
    const waitMs = limits.waitMs(client);
    if (waitMs > 0) {
      throw new HeliosError('rate_limited', 'cannot take the request: the client is over its rate', {
        details: { retryAfterSeconds: waitMs / 1000 },
      });
    }
    handler.checkOpen();
    const proceed = (): void => {
      if (headers.expect !== undefined) response.writeContinue();
    };
    const held = await readBody(request, config.max_body, pending, proceed);
    try {
      limits.take(client, 0, held.sentBytes);
      metrics.add(BYTES_RECEIVED, held.sentBytes, { door: DOOR });
      await decompress(held, encoding, config.max_body, pending);
      const key = headers['idempotency-key'];
      const answer = await handler.accept({
        door: DOOR,
        body: held.bytes,
        principal,
        ...(typeof key === 'string' && { idempotencyKey: key }),
      });
      if (!answer.replayed) limits.take(client, answer.accepted, 0);
      return answer;
    } finally {
      pending.release(held.reservedBytes);
    }
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): string {
    if (error instanceof ClientGone) return 'client_gone';
    const known =
      error instanceof HeliosError
        ? error
        : new HeliosError('internal', 'cannot take the request: an unexpected failure', { cause: error });
    if (known.code === 'internal') logger.error('ingest request failed', { error: String((error as Error)?.stack ?? error) });
    if (!response.headersSent) writeProblem(request, response, known);
    return known.code;
  }

  return async (request, response) => {
    const startedMs = clock.monotonicMs();
    let code = 'ok';
    try {
      writeAnswer(response, await take(request, response));
    } catch (error) {
      code = fail(request, response, error);
    }
    metrics.add(REQUESTS, 1, { door: DOOR, code });
    metrics.observe(REQUEST_SECONDS, (clock.monotonicMs() - startedMs) / 1000, { door: DOOR });
    metrics.set(PENDING_BYTES, pending.bytes);
  };
}
