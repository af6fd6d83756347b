import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { HeliosError, problemOf, systemCode } from '../lib/errors.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { AllowedMethods } from './allowed-methods.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const DEFAULT_RETRY_AFTER_SECONDS = 1;

/** What the web framework and the server below it refuse, in our words. */
const FRAMEWORK_ERRORS: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'cannot read the body: it is over the limit of 1 MiB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'cannot read the body: send application/json'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'cannot read the body: it is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_argument', 'cannot read the body: it differs in size from Content-Length'],
  FST_ERR_BAD_URL: ['invalid_argument', 'cannot read the path: it is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'cannot find it: the path is too long'],
  // Nobody is left to read it: the client went away, or was too slow and has its answer.
  ECONNRESET: ['timeout', 'cannot read the body: the connection ended before it was complete'],
  FST_ERR_ASYNC_CONSTRAINT: ['invalid_argument', 'cannot route the request'],
};

function knownError(error: unknown): HeliosError | undefined {
  if (error instanceof HeliosError) return error;
  const known = FRAMEWORK_ERRORS[systemCode(error)];
  if (known) return new HeliosError(known[0], known[1]);
  const { statusCode } = error as Partial<FastifyError>;
  if (error instanceof SyntaxError && statusCode === 400)
    return new HeliosError('invalid_json', 'cannot read the body: it is not JSON');
  return undefined;
}

/** Turns whatever was thrown into the answer to send. What nobody foresaw is logged under an id, and only the id is told. */
export class ErrorAnswers {
  readonly #logger: Logger;
  readonly #prefix: string;
  #count = 0;

  /** `startMs` keeps the ids of different runs apart. */
  constructor(logger: Logger, startMs: number) {
    this.#logger = logger;
    this.#prefix = Math.floor(startMs).toString(36);
  }

  send(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const known = knownError(error);
    const answer = known === undefined || known.code === 'internal' ? this.#internal(error, request) : known;
    if (answer.status === 503 || answer.status === 429) {
      reply.header('retry-after', String(Math.ceil(answer.details.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS)));
    }
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer realm="helios"');
    return reply
      .code(answer.status)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problemOf(answer)));
  }

  #internal(error: unknown, request: FastifyRequest): HeliosError {
    const id = `${this.#prefix}-${++this.#count}`;
    const stack = error instanceof Error ? error.stack : String(error);
    this.#logger.error('request failed', { id, method: request.method, route: request.routeOptions.url ?? '', error: stack });
    return new HeliosError('internal', `cannot answer the request: an unexpected failure; the log has it under ${id}`, {
      details: { id },
    });
  }
}

/** What Node.js says of requests that it cannot parse. */
const CLIENT_ERRORS: Record<string, [ErrorCode, string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['timeout', '408 Request Timeout', 'cannot read the request: it did not arrive in time'],
  HPE_HEADER_OVERFLOW: [
    'invalid_argument',
    '431 Request Header Fields Too Large',
    'cannot read the request: its headers are too large',
  ],
};

/** Answers a connection whose bytes are not HTTP, then closes it. */
export function answerClientError(error: Error, socket: Socket): void {
  if (systemCode(error) === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, statusLine, detail] = CLIENT_ERRORS[systemCode(error)] ?? [
    'invalid_argument',
    '400 Bad Request',
    'cannot read the request: it is not valid HTTP',
  ];
  const problem = problemOf(new HeliosError(code, detail));
  const body = JSON.stringify({ ...problem, status: Number.parseInt(statusLine, 10) });
  const head = `HTTP/1.1 ${statusLine}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  socket.end(`${head}connection: close\r\n\r\n${body}`);
}

/** Unknown paths answer 404, known paths with another method 405 and `Allow`; before the body is looked at. */
export function addRouteErrors(app: FastifyInstance, whyMissing: string): void {
  const allowed = new AllowedMethods();
  app.addHook('onRoute', (route) => allowed.add(route.url, route.method));
  const refuse = (request: FastifyRequest, reply: FastifyReply): never => {
    const path = request.url.split('?', 1)[0] as string;
    const methods = allowed.of(path);
    if (methods.length === 0) throw new HeliosError('not_found', `cannot find ${path}: ${whyMissing}`);
    reply.header('allow', methods.join(', '));
    throw new HeliosError('method_not_allowed', `cannot ${request.method} ${path}: it takes ${methods.join(', ')}`);
  };
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) refuse(request, reply);
    done();
  });
  app.setNotFoundHandler(refuse);
}
