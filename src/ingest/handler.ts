import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { AppendRecord, EventLog, Idempotency, KnownRequest } from '../log/event-log.ts';
import type { Principal } from '../model/access.ts';
import { toNdjson } from '../model/event-batch.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { MetricLines } from '../model/metric.ts';
import type { Rejection, Scanner, ScanLimits } from '../model/scanner.ts';
import { bodyHashOf, checkKey, keyHashOf } from './idempotency.ts';
import { LogCircuit } from './log-circuit.ts';
import { releaseBytes } from './owned-bytes.ts';
import { EVENTS_ACCEPTED, EVENTS_REJECTED, POINTS_ACCEPTED, POINTS_REJECTED } from './metrics.ts';

export interface Sender {
  principal: Principal;
  /** Key id, or the peer's address when no keys are configured. */
  client: string;
}

export interface EventsRequest {
  door: string;
  sender: Sender;
  /** One event, an array, or NDJSON, decompressed; the handler owns it. */
  body: Uint8Array;
  idempotencyKey?: string;
}

export interface MetricsRequest {
  door: string;
  sender: Sender;
  lines: MetricLines;
}

/** What became of a request's events or points; what was accepted is durable. */
export interface Verdict {
  accepted: number;
  rejectedCount: number;
  /** Up to MAX_LISTED_REJECTIONS. */
  rejections: Rejection[];
  /** The request had been durable already; this is its first verdict again. */
  replayed: boolean;
  /** The body as a whole cannot be read; nothing stored. */
  syntaxError?: string;
}

export interface IngestHandlerOptions {
  log: EventLog;
  /** Absent: this process takes no metrics. */
  metricsLog?: EventLog;
  scanner: Scanner;
  clock: Clock;
  metrics: Metrics;
  /** Milliseconds; Infinity takes any. */
  futureToleranceMs: number;
  retentionMs: number;
  /** Most events of one request by door; absent: any number. */
  maxEventsOf?: (door: string) => number;
}

export interface IngestHandler {
  /** Judges a body and appends what is good; durable when it resolves. Throws HeliosError only for what is not about the data. */
  acceptEvents(request: EventsRequest): Promise<Verdict>;
  /** Appends the lines that a door made of a request's points; durable when it resolves. Throws as `acceptEvents` does. */
  acceptMetrics(request: MetricsRequest): Promise<Verdict>;
  /** What the sender's records are judged by at this moment. */
  limitsFor(principal: Principal): ScanLimits;
  /** Throws what the event log failed with while its circuit is open; asked before a body is read. */
  checkOpen(): void;
  /** What a log failed with a moment ago and has not got over since, or null. */
  failure(): HeliosError | null;
}

const NONE: Rejection[] = [];

/** What every door ends in: verdicts, idempotency, the circuit breakers, and the append. */
export function createIngestHandler(options: IngestHandlerOptions): IngestHandler {
  return new Handler(options);
}

class Handler implements IngestHandler {
  readonly #options: IngestHandlerOptions;
  readonly #eventCircuit: LogCircuit;
  readonly #metricCircuit: LogCircuit;
  readonly #inFlight = new Set<string>();

  constructor(options: IngestHandlerOptions) {
    this.#options = options;
    this.#eventCircuit = new LogCircuit(options.clock);
    this.#metricCircuit = new LogCircuit(options.clock);
  }

  checkOpen(): void {
    this.#eventCircuit.check();
  }

  failure(): HeliosError | null {
    return this.#eventCircuit.failure() ?? this.#metricCircuit.failure();
  }

  async acceptEvents(request: EventsRequest): Promise<Verdict> {
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return this.#scanAndAppend(request, null);
    checkKey(idempotencyKey);
    const keyHash = keyHashOf(request.sender.principal.id, idempotencyKey);
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

  async acceptMetrics({ door, sender, lines }: MetricsRequest): Promise<Verdict> {
    const { metricsLog, metrics, clock } = this.#options;
    if (!metricsLog) throw new HeliosError('unavailable', 'cannot store metrics: this process keeps none');
    const { points, rejectedCount, rejections } = lines;
    this.#checkBatch(door, points + rejectedCount);
    if (rejectedCount > 0) countRejected(metrics, POINTS_REJECTED, door, lines);
    if (points > 0) {
      await this.#append(metricsLog, this.#metricCircuit, {
        bytes: lines.bytes,
        count: lines.lines,
        minTimestampMs: lines.minTimestampMs,
        maxTimestampMs: lines.maxTimestampMs,
        receivedAtMs: clock.nowMs(),
        clientId: sender.principal.id,
      });
      metrics.add(POINTS_ACCEPTED, points, { door });
    }
    return { accepted: points, rejectedCount, rejections, replayed: false };
  }

  limitsFor(principal: Principal): ScanLimits {
    const { futureToleranceMs, retentionMs, clock } = this.#options;
    const nowMs = clock.nowMs();
    const limits: ScanLimits = { latestMs: nowMs + futureToleranceMs, earliestMs: nowMs - retentionMs };
    if (principal.services) limits.services = servicesOf(principal);
    return limits;
  }

  async #scanAndAppend({ door, sender, body }: EventsRequest, idempotency: Idempotency | null): Promise<Verdict> {
    const { clock, scanner, metrics, log } = this.#options;
    const result = scanner.scan(body, this.limitsFor(sender.principal));
    const { batch, rejectedCount } = result;
    const accepted = batch.count;
    this.#checkBatch(door, accepted + rejectedCount);
    const verdict: Verdict = { accepted, rejectedCount, rejections: NONE, replayed: false };
    if (result.syntaxError !== undefined) {
      metrics.add(EVENTS_REJECTED, 1, { door, field: 'body' });
      verdict.syntaxError = result.syntaxError;
    }
    if (rejectedCount > 0) {
      verdict.rejections = [...result.rejections];
      countRejected(metrics, EVENTS_REJECTED, door, result);
    }
    if (accepted > 0) {
      const record = recordOf(batch, clock.nowMs(), sender.principal.id);
      if (idempotency) record.idempotency = { ...idempotency, answer: rejectionsText(verdict) };
      await this.#append(log, this.#eventCircuit, record);
      metrics.add(EVENTS_ACCEPTED, accepted, { door });
    }
    return verdict;
  }

  #checkBatch(door: string, count: number): void {
    const limit = this.#options.maxEventsOf?.(door) ?? Infinity;
    if (count <= limit) return;
    throw new HeliosError('too_large', `cannot take the request: it has ${count} records, more than ${limit}`, {
      details: { limitEvents: limit },
    });
  }

  async #append(log: EventLog, circuit: LogCircuit, record: AppendRecord): Promise<void> {
    circuit.enter();
    try {
      await log.append(record);
    } catch (error) {
      circuit.failed(error);
      throw error;
    }
    circuit.succeeded();
    releaseBytes(record.bytes);
  }
}

/** The members of the JSON answer after `accepted`, with their comma: "" when nothing was rejected. */
export function rejectionsText({ rejectedCount, rejections }: Verdict): string {
  return rejectedCount === 0 ? '' : `,"rejectedCount":${rejectedCount},"rejected":${JSON.stringify(rejections)}`;
}

function replay(known: KnownRequest, bodyHash: string): Verdict {
  if (known.bodyHash !== bodyHash) {
    throw new HeliosError('idempotency_mismatch', 'cannot take the request: its Idempotency-Key was used with another body', {
      details: { field: 'Idempotency-Key' },
    });
  }
  const { rejectedCount, rejected } = JSON.parse(`{"":0${known.answer}}`) as { rejectedCount?: number; rejected?: Rejection[] };
  return { accepted: known.count, rejectedCount: rejectedCount ?? 0, rejections: rejected ?? NONE, replayed: true };
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
  return { bytes: toNdjson(batch), count: batch.count, minTimestampMs: min, maxTimestampMs: max, receivedAtMs, clientId, batch };
}

function countRejected(
  metrics: Metrics,
  definition: typeof EVENTS_REJECTED,
  door: string,
  { rejectedCount, rejections }: Pick<Verdict, 'rejectedCount' | 'rejections'>,
): void {
  const byField = new Map<string, number>();
  for (const { field } of rejections) byField.set(field, (byField.get(field) ?? 0) + 1);
  for (const [field, count] of byField) metrics.add(definition, count, { door, field: field === '' ? 'event' : field });
  const unlisted = rejectedCount - rejections.length;
  if (unlisted > 0) metrics.add(definition, unlisted, { door, field: 'unlisted' });
}
