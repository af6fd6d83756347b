import { request } from 'undici';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError, systemCode } from '../../lib/errors.ts';

export interface OutgoingRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Connecting, sending and the whole answer together. */
  timeoutMs: number;
  /** Characters of the answer that are kept; the rest is not read. */
  maxAnswer: number;
  signal: AbortSignal;
  clock: Clock;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  /** The answer was longer than what is kept. */
  isCut: boolean;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name cannot be looked up',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it cannot be connected to',
};

/** Never the URL: webhook addresses are secrets. */
function reasonOf(error: unknown): string {
  const code = systemCode(error);
  return REASONS[code] ?? (code === '' ? 'the request failed' : code);
}

async function readAnswer(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maxAnswer: number,
): Promise<Pick<Answer, 'text' | 'isCut'>> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > maxAnswer) {
      body.destroy();
      return { text: text.slice(0, maxAnswer), isCut: true };
    }
  }
  return { text, isCut: false };
}

/**
 * One POST on a connection of its own; redirects are answers like any other. The address comes from the configuration alone, so private
 * ones are as good as public ones. Rejects with `unavailable` when no answer came in time, or with the signal's reason.
 */
export async function post({ url, headers, body, timeoutMs, maxAnswer, signal, clock }: OutgoingRequest): Promise<Answer> {
  const deadline = new AbortController();
  const stop = clock.after(timeoutMs, () => deadline.abort());
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'user-agent': 'helios', ...headers },
      body,
      // Messages are rare: a kept connection would more often be one that the other side has closed.
      reset: true,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.any([signal, deadline.signal]),
    });
    const answered = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
    return {
      status: response.statusCode,
      headers: Object.fromEntries(answered),
      ...(await readAnswer(response.body, maxAnswer)),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason as Error;
    const reason = deadline.signal.aborted ? `it did not answer within ${timeoutMs} ms` : reasonOf(error);
    throw new HeliosError('unavailable', `cannot reach the receiver: ${reason}`, { cause: error });
  } finally {
    stop();
  }
}

/** Milliseconds of a Retry-After header, seconds or a date; undefined without one that makes sense. At most an hour. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 3_600_000) : undefined;
}

/** Statuses that say that the address or the secret is wrong; a 404 may be no more than a receiver that is being deployed. */
const CONFIG_STATUSES: readonly number[] = [401, 403, 410];

/** What a status outside 200..299 means for a webhook, whose address and secret are all that HELIOS can have wrong. */
function refusal(receiver: string, { status, headers, text }: Answer, nowMs: number, isConfig: boolean): HeliosError {
  const said = saidOf(text);
  if (isConfig) return new HeliosError('invalid_config', `cannot send to ${receiver}: it refused with ${status}${said}`);
  const waitMs = retryAfterMs(headers['retry-after'], nowMs);
  const what =
    status >= 300 && status < 400
      ? `it redirects (${status}), which is not followed: configure the final address`
      : `it answered ${status}${said}`;
  return new HeliosError('unavailable', `cannot send to ${receiver}: ${what}`, {
    details: waitMs === undefined ? {} : { retryAfterMs: waitMs },
  });
}

/** The first words of an answer, for a log line: no markup, no control characters. */
export function saidOf(text: string): string {
  const words = text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 160);
  return words === '' ? '' : ` (${words})`;
}

/** A page where an answer was expected: a proxy or a login stands in between, and the message has gone nowhere. */
export function isPage({ text }: Answer): boolean {
  return text.trimStart().startsWith('<');
}

export interface Expectation {
  receiver: string;
  nowMs: number;
  /** Whether an answer with a good status is one of the receiver's. */
  isTaken: (answer: Answer) => boolean;
  /** Whether a refusal is for good; absent: by its status. */
  isConfig?: (answer: Answer) => boolean;
}

/** Throws `invalid_config` or `unavailable` unless the receiver took what was sent. */
export function expectTaken(answer: Answer, { receiver, nowMs, isTaken, isConfig }: Expectation): void {
  if (answer.status < 200 || answer.status > 299) {
    throw refusal(receiver, answer, nowMs, isConfig?.(answer) ?? CONFIG_STATUSES.includes(answer.status));
  }
  if (isTaken(answer)) return;
  throw new HeliosError(
    'unavailable',
    `cannot send to ${receiver}: it answered something else than it should${saidOf(answer.text)}`,
  );
}
