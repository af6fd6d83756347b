import { HeliosError, problemOf } from '../../lib/errors.ts';
import { rejectionsText } from '../handler.ts';
import type { Verdict } from '../handler.ts';
import type { HttpAnswer } from '../http-exchange.ts';

const JSON_TYPE = ['Content-Type', 'application/json'];
const REPLAYED = [...JSON_TYPE, 'Idempotent-Replayed', 'true'];
const PROBLEM_TYPE = ['Content-Type', 'application/problem+json'];

/** Throws when nothing of the body can be stored. */
function refuseWhole({ syntaxError, accepted, rejectedCount, rejections }: Verdict): void {
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

/** 202 `{"accepted":n}`, with what was rejected; throws `invalid_json` or `all_rejected` when nothing can be stored. */
export function verdictAnswer(verdict: Verdict): HttpAnswer {
  refuseWhole(verdict);
  const body = `{"accepted":${verdict.accepted}${rejectionsText(verdict)}}`;
  return { status: 202, headers: verdict.replayed ? REPLAYED : JSON_TYPE, body };
}

/** RFC 9457. */
export function problemAnswer(error: HeliosError): HttpAnswer {
  const problem = problemOf(error);
  return { status: problem.status, headers: PROBLEM_TYPE, body: JSON.stringify(problem) };
}
