import { Pool } from 'undici';
import type { Clock } from '../lib/clock.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { ERROR_CODES, HeliosError, systemCode } from '../lib/errors.ts';
import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import type { Rejection } from '../model/scanner.ts';

/** What the server said about one body. */
export interface PostAnswer {
  accepted: number;
  rejectedCount: number;
  /** The first of them, with reasons. */
  rejected: Rejection[];
}

export interface EventClientOptions {
  url: string;
  /** API key; "" is none. */
  key: string;
  clock: Clock;
  /** Told before every wait, with why and how long. */
  onRetry?: (reason: string, delayMs: number) => void;
}

const EVENTS_PATH = '/api/v1/events';
const RETRIED_STATUSES = new Set([408, 409, 429, 500, 502, 503, 504]);
const MAX_ATTEMPTS = 10;
/** Until a first answer came, the address is more likely wrong than the server busy. */
const MAX_FIRST_ATTEMPTS = 4;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
const MAX_RETRY_AFTER_MS = 60_000;
const TIMEOUT_MS = 60_000;

interface HttpAnswer {
  status: number;
  retryAfter: string;
  text: string;
}

/**
 * Posts bodies of events, one after the other. Retries what may succeed later, with exponential backoff and jitter or as
 * long as `Retry-After` says; an idempotency key makes that safe. The only place where the command line retries.
 */
export class EventClient implements AsyncDisposable {
  readonly #options: EventClientOptions;
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #prng: Prng;
  #answered = false;

  constructor(options: EventClientOptions) {
    const url = new URL(options.url);
    this.#options = options;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(url.origin, { connections: 2, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    this.#prng = createPrng(options.clock.nowMs());
  }

  /**
   * Posts one body of `count` events. Rejected events are part of the answer, also when all are. Throws `unavailable` when the
   * server cannot be reached or stays busy, and the server's own code when it refuses the request as a whole.
   */
  async post(body: Uint8Array, count: number, idempotencyKey = ''): Promise<PostAnswer> {
    for (let attempt = 1; ; attempt++) {
      const { answer, failure } = await this.#attempt(body, idempotencyKey);
      if (answer && !RETRIED_STATUSES.has(answer.status)) return this.#judge(answer, count);
      const reason = answer ? `the server answered ${answer.status}${detailOf(answer.text)}` : describe(failure);
      if (attempt >= (this.#answered ? MAX_ATTEMPTS : MAX_FIRST_ATTEMPTS)) {
        throw new HeliosError('unavailable', `cannot post events to ${this.#options.url}: ${reason}`, { cause: failure });
      }
      const delayMs = this.#delayMs(attempt, answer?.retryAfter ?? '');
      this.#options.onRetry?.(reason, delayMs);
      await this.#options.clock.sleep(delayMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }

  async #attempt(body: Uint8Array, idempotencyKey: string): Promise<{ answer?: HttpAnswer; failure?: unknown }> {
    const headers: Record<string, string> = { 'content-type': 'application/x-ndjson' };
    if (this.#options.key !== '') headers['authorization'] = `Bearer ${this.#options.key}`;
    if (idempotencyKey !== '') headers['idempotency-key'] = idempotencyKey;
    try {
      const response = await this.#pool.request({ method: 'POST', path: this.#basePath + EVENTS_PATH, headers, body });
      const text = await response.body.text();
      this.#answered = true;
      return { answer: { status: response.statusCode, retryAfter: String(response.headers['retry-after'] ?? ''), text } };
    } catch (failure) {
      return { failure };
    }
  }

  #judge({ status, text }: HttpAnswer, count: number): PostAnswer {
    const body = parseBody(text);
    const rejected = Array.isArray(body['rejected']) ? (body['rejected'] as Rejection[]) : [];
    if (status === 202 || status === 200) {
      const accepted = Number(body['accepted'] ?? count);
      return { accepted, rejectedCount: Number(body['rejectedCount'] ?? 0), rejected };
    }
    if (status === 400 && (body['code'] === 'all_rejected' || rejected.length > 0)) {
      return { accepted: 0, rejectedCount: Number(body['rejectedCount'] ?? count), rejected };
    }
    if (status === 400) {
      const reason = typeof body['detail'] === 'string' ? body['detail'] : 'the body is malformed';
      return { accepted: 0, rejectedCount: count, rejected: [{ index: 0, field: '', reason }] };
    }
    const code = String(body['code']);
    const known: ErrorCode = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'unavailable';
    throw new HeliosError(known, `cannot post events to ${this.#options.url}: the server answered ${status}${detailOf(text)}`);
  }

  #delayMs(attempt: number, retryAfter: string): number {
    const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
    const jitteredMs = backoffMs * (0.5 + 0.5 * this.#prng.next());
    const seconds = Number(retryAfter);
    if (retryAfter === '' || !Number.isFinite(seconds)) return jitteredMs;
    return Math.min(MAX_RETRY_AFTER_MS, Math.max(jitteredMs, seconds * 1000));
  }
}

function parseBody(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function detailOf(text: string): string {
  const { detail } = parseBody(text);
  return typeof detail === 'string' && detail !== '' ? `: ${detail}` : '';
}

function describe(failure: unknown): string {
  const code = systemCode(failure);
  if (code === 'ECONNREFUSED') return 'connection refused (is "helios serve" running there?)';
  return failure instanceof Error && failure.message !== '' ? failure.message : code || 'the connection failed';
}
