import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemOf } from '../../lib/errors.ts';
import type { HeliosError } from '../../lib/errors.ts';
import type { IngestAnswer } from '../handler.ts';

/**
 * Unread body that is read and thrown away so that the client gets to read its answer; past it the connection ends. Many
 * clients read no answer before they have sent everything, and see a reset connection instead of "too large".
 */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

export function writeAnswer(response: ServerResponse, answer: IngestAnswer): void {
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(answer.body),
  };
  if (answer.replayed) headers['Idempotent-Replayed'] = 'true';
  response.writeHead(answer.status, headers).end(answer.body);
}

export function writeProblem(request: IncomingMessage, response: ServerResponse, error: HeliosError): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
  };
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = Math.max(1, Math.ceil(retryAfterSeconds));
  if (error.code === 'unauthenticated') headers['WWW-Authenticate'] = 'Bearer';
  if (error.code === 'method_not_allowed') headers['Allow'] = 'POST';
  if (!request.complete) drain(request, headers);
  response.writeHead(problem.status, headers).end(body);
}

function drain(request: IncomingMessage, headers: Record<string, string | number>): void {
  const announced = Number(request.headers['content-length'] ?? Infinity);
  if (announced > MAX_DRAINED_BYTES) headers['Connection'] = 'close';
  let drained = 0;
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > MAX_DRAINED_BYTES) request.destroy();
  });
  request.on('error', () => request.destroy());
}
