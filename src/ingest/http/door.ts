import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Admission, Ticket } from '../admission.ts';
import type { IngestConfig } from '../config.ts';
import type { IngestHandler, Sender, Verdict } from '../handler.ts';
import { BYTES_RECEIVED, REQUEST_SECONDS, REQUESTS } from '../metrics.ts';
import { refuseWhole, writeProblem, writeVerdict } from './answer.ts';
import { checkContentType, ClientGone, decompress, encodingOf, readBody } from './body.ts';

const DOOR = 'http';

export interface HttpDoorOptions {
  handler: IngestHandler;
  admission: Admission;
  config: IngestConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** `POST /api/v1/events`: native events over HTTP. Never rejects: every failure becomes an answer. */
export type HttpDoor = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createHttpDoor(options: HttpDoorOptions): HttpDoor {
  const { handler, admission, config, clock, logger, metrics } = options;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<Verdict> {
    if (request.method !== 'POST') throw new HeliosError('method_not_allowed', `cannot ${request.method} here: use POST`);
    const sender = admission.identify(request.headers, request.socket.remoteAddress ?? '', DOOR);
    using ticket = admission.admit(sender, DOOR);
    try {
      return await judge(request, response, sender, ticket);
    } catch (error) {
      if (error instanceof HeliosError) ticket.fail(error);
      throw error;
    }
  }

  async function judge(request: IncomingMessage, response: ServerResponse, sender: Sender, ticket: Ticket): Promise<Verdict> {
    const { headers } = request;
    checkContentType(headers['content-type']);
    const encoding = encodingOf(headers['content-encoding']);
    const proceed = (): void => {
      if (headers.expect !== undefined) response.writeContinue();
    };
    const held = await readBody(request, config.max_body, ticket, proceed);
    metrics.add(BYTES_RECEIVED, held.sentBytes, { door: DOOR });
    await decompress(held, encoding, config.max_body, ticket);
    const key = headers['idempotency-key'];
    const verdict = await handler.acceptEvents({
      door: DOOR,
      sender,
      body: held.bytes,
      ...(typeof key === 'string' && { idempotencyKey: key }),
    });
    const { rejectedCount, rejections } = verdict;
    const accepted = verdict.replayed ? 0 : verdict.accepted;
    ticket.settle({ accepted, rejectedCount, rejections, sentBytes: held.sentBytes });
    refuseWhole(verdict);
    return verdict;
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
      writeVerdict(response, await take(request, response));
    } catch (error) {
      code = fail(request, response, error);
    }
    metrics.add(REQUESTS, 1, { door: DOOR, code });
    metrics.observe(REQUEST_SECONDS, (clock.monotonicMs() - startedMs) / 1000, { door: DOOR });
  };
}
