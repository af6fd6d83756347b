import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { AppendRecord, EventLog, Idempotency, KnownRequest } from '../log/event-log.ts';
import type { Principal } from '../model/access.ts';
import { toNdjson } from '../model/event-batch.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Scanner, ScanLimits, ScanResult } from '../model/scanner.ts';
import { bodyHashOf, checkKey, keyHashOf } from './idempotency.ts';
import { EVENTS_ACCEPTED, EVENTS_REJECTED } from './metrics.ts';

/** Failed commits in a row that open the circuit, and how long it stays open before one request probes the log. */
const BREAKER_FAILURES = 5;
const BREAKER_OPEN_MS = 1000;

export interface IngestRequest {
  door: string;
  /** Decompressed; the handler owns it. */
  body: Uint8Array;
  principal: Principal;
  idempotencyKey?: string;
}

/** A judged and, where anything was good, durable request. `body` is the JSON answer. */
export interface IngestAnswer {
  status: 202;
  accepted: number;
  body: string;
  /** The request had been durable already; this is its first answer again. */
  replayed: boolean;
}

export interface IngestHandlerOptions {
  log: EventLog;
  scanner: Scanner;
  clock: Clock;
  metrics: Metrics;
  /** Milliseconds; Infinity takes any. */
  futureToleranceMs: number;
  retentionMs: number;
}

export interface IngestHandler {
  /** Judges a body, appends what is good, and answers once it is durable. Throws HeliosError for every other answer. */
  accept(request: IngestRequest): Promise<IngestAnswer>;
  /** Throws what the log failed with while the circuit is open; asked before a body is read. */
  checkOpen(): void;
  /** What the log failed with a moment ago and has not got over since, or null. */
  failure(): HeliosError | null;
}

function isLogFailure(error: unknown): error is HeliosError {
  return error instanceof HeliosError && (error.code === 'log_unavailable' || error.code === 'disk_full');
}

/** What every door ends in: verdicts, idempotency, the circuit breaker, and the append. */
export function createIngestHandler(options: IngestHandlerOptions): IngestHandler {
  return new Handler(options);
}

class Handler implements IngestHandler {
  readonly #options: IngestHandlerOptions;
  readonly #breaker = circuitBreaker(handleWhen(isLogFailure), {
    halfOpenAfter: BREAKER_OPEN_MS,
    breaker: new ConsecutiveBreaker(BREAKER_FAILURES),
  });
  readonly #inFlight = new Set<string>();
  #failure: HeliosError | null = null;
  #failedMs = -Infinity;

  constructor(options: IngestHandlerOptions) {
    this.#options = options;
  }

  checkOpen(): void {
    // The breaker stays open by itself until someone tries: past its time a request has to get through.
    if (this.#failure && this.#breaker.state === CircuitState.Open && this.#sinceFailureMs() < BREAKER_OPEN_MS)
      throw this.#failure;
  }

  failure(): HeliosError | null {
    const freshMs = (this.#failure?.details.retryAfterSeconds ?? 0) * 1000;
    return this.#sinceFailureMs() < Math.max(freshMs, BREAKER_OPEN_MS) ? this.#failure : null;
  }

  #sinceFailureMs(): number {
    return this.#options.clock.monotonicMs() - this.#failedMs;
  }

  async accept(request: IngestRequest): Promise<IngestAnswer> {
    const { idempotencyKey, principal } = request;
    if (idempotencyKey === undefined) return this.#scanAndAppend(request, null);
    checkKey(idempotencyKey);
    const keyHash = keyHashOf(principal.id, idempotencyKey);
    const bodyHash = bodyHashOf(request.body);
    if (this.#inFlight.has(keyHash)) {
      throw new HeliosError('conflict', 'cannot take the request: one with the same Idempotency-Key is in flight', {
        details: { field: 'Idempotency-Key', retryAfterSeconds: 1 },
      });
    }
    const known = this.#options.log.findRequest(keyHash);
    if (known) return replay(known, bodyHash);
    this.#inFlight.add(keyHash);
    try {
      return await this.#scanAndAppend(request, { keyHash, bodyHash, answer: '' });
    } finally {
      this.#inFlight.delete(keyHash);
    }
  }

  async #scanAndAppend(request: IngestRequest, idempotency: Idempotency | null): Promise<IngestAnswer> {
    const { clock, scanner, metrics } = this.#options;
    const nowMs = clock.nowMs();
    const result = scanner.scan(request.body, this.#limitsFor(request.principal, nowMs));
    count(metrics, request.door, result);
    refuseWhole(result);
    const { batch, rejectedCount, rejections } = result;
    const accepted = batch.count;
    const extra = rejectedCount === 0 ? '' : `,"rejectedCount":${rejectedCount},"rejected":${JSON.stringify(rejections)}`;
    if (accepted > 0) {
      const record = recordOf(batch, nowMs, request.principal.id);
      if (idempotency) record.idempotency = { ...idempotency, answer: extra };
      await this.#append(record);
      metrics.add(EVENTS_ACCEPTED, accepted, { door: request.door });
    }
    return { status: 202, accepted, body: `{"accepted":${accepted}${extra}}`, replayed: false };
  }

  async #append(record: AppendRecord): Promise<void> {
    try {
      await this.#breaker.execute(() => this.#options.log.append(record));
      this.#failure = null;
    } catch (error) {
      if (error instanceof BrokenCircuitError && this.#failure) throw this.#failure;
      if (isLogFailure(error)) {
        this.#failure = error;
        this.#failedMs = this.#options.clock.monotonicMs();
      }
      throw error;
    }
  }

  #limitsFor(principal: Principal, nowMs: number): ScanLimits {
    const { futureToleranceMs, retentionMs } = this.#options;
    const limits: ScanLimits = { latestMs: nowMs + futureToleranceMs, earliestMs: nowMs - retentionMs };
    if (principal.services) limits.services = servicesOf(principal);
    return limits;
  }
}

/** Throws when nothing of the body can be stored. */
function refuseWhole({ syntaxError, batch, rejectedCount, rejections }: ScanResult): void {
  if (syntaxError !== undefined) {
    throw new HeliosError('invalid_json', `cannot read the body: it ${syntaxError}`, {
      details: { accepted: 0, rejectedCount: 0, rejected: [{ index: 0, field: '', reason: syntaxError }] },
    });
  }
  if (batch.count === 0 && rejectedCount > 0) {
    throw new HeliosError('all_rejected', 'cannot store any event of the request: each was rejected', {
      details: { accepted: 0, rejectedCount, rejected: rejections },
    });
  }
}

function replay(known: KnownRequest, bodyHash: string): IngestAnswer {
  if (known.bodyHash !== bodyHash) {
    throw new HeliosError('idempotency_mismatch', 'cannot take the request: its Idempotency-Key was used with another body', {
      details: { field: 'Idempotency-Key' },
    });
  }
  return { status: 202, accepted: known.count, body: `{"accepted":${known.count}${known.answer}}`, replayed: true };
}

const serviceLimits = new WeakMap<Principal, NonNullable<ScanLimits['services']>>();

/** One object a principal, because the scanner caches by its identity. */
function servicesOf(principal: Principal): NonNullable<ScanLimits['services']> {
  let limits = serviceLimits.get(principal);
  if (!limits) serviceLimits.set(principal, (limits = { allows: (service) => principal.services?.(service) ?? true }));
  return limits;
}

function recordOf(batch: EventBatch, receivedAtMs: number, clientId: string): AppendRecord {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < batch.count; i++) {
    const timestamp = batch.timestamp[i] as number;
    if (timestamp < min) min = timestamp;
    if (timestamp > max) max = timestamp;
  }
  return { bytes: toNdjson(batch), count: batch.count, minTimestampMs: min, maxTimestampMs: max, receivedAtMs, clientId };
}

function count(metrics: Metrics, door: string, result: ScanResult): void {
  if (result.syntaxError !== undefined) metrics.add(EVENTS_REJECTED, 1, { door, field: 'body' });
  if (result.rejectedCount === 0) return;
  for (const { field } of result.rejections) metrics.add(EVENTS_REJECTED, 1, { door, field: field === '' ? 'event' : field });
  const unlisted = result.rejectedCount - result.rejections.length;
  if (unlisted > 0) metrics.add(EVENTS_REJECTED, unlisted, { door, field: 'unlisted' });
}
