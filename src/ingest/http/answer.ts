import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeliosError, problemOf } from '../../lib/errors.ts';
import { rejectionsText } from '../handler.ts';
import type { Verdict } from '../handler.ts';

/**
 * Unread body that is read and thrown away so that the client gets to read its answer; past it the connection ends. Many
 * clients read no answer before they have sent everything, and see a reset connection instead of "too large".
 */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

/** Throws when nothing of the body can be stored. */
export function refuseWhole({ syntaxError, accepted, rejectedCount, rejections }: Verdict): void {
  if (syntaxError !== undefined) {
    throw new HeliosError('invalid_json', `cannot read the body: it ${syntaxError}`, {
      details: { accepted: 0, rejectedCount: 0, rejected: [{ index: 0, field: '', reason: syntaxError }] },
    });
  }
  if (accepted === 0 && rejectedCount > 0) {
    throw new HeliosError('all_rejected', 'cannot store any event of the request: each was rejected', {
      details: { accepted: 0, rejectedCount, rejected: rejections },
    });
  }
}

export function writeVerdict(response: ServerResponse, verdict: Verdict): void {
  const body = `{"accepted":${verdict.accepted}${rejectionsText(verdict)}}`;
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  };
  if (verdict.replayed) headers['Idempotent-Replayed'] = 'true';
  response.writeHead(202, headers).end(body);
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
