import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Prng } from '../lib/prng.ts';
import type { AppendRecord, EventLog, KnownRequest, LogStatus, LogSupport, Position, RetentionLimits } from './event-log.ts';

/** Probabilities per append, each 0 unless given. */
export interface FaultRates {
  /** Rejected with `log_unavailable`; nothing is written. */
  fail?: number;
  /** Written, but rejected as if it was not: what a client sees when the answer is lost. */
  loseAnswer?: number;
  /** Written twice: what a retry without an idempotency key does. */
  duplicate?: number;
  /** Resolved late, by up to `maxDelayMs`. */
  delay?: number;
  maxDelayMs?: number;
}

/**
 * An EventLog that fails as a seeded generator says, for simulations. Order and durability of what is written are the
 * inner log's; closing this one closes it.
 */
export function createFaultyLog(inner: EventLog, prng: Prng, clock: Clock, rates: FaultRates): EventLog {
  return new FaultyLog(inner, prng, clock, rates);
}

class FaultyLog implements EventLog {
  readonly #inner: EventLog;
  readonly #prng: Prng;
  readonly #clock: Clock;
  readonly #rates: FaultRates;

  constructor(inner: EventLog, prng: Prng, clock: Clock, rates: FaultRates) {
    this.#inner = inner;
    this.#prng = prng;
    this.#clock = clock;
    this.#rates = rates;
  }

  async append(record: AppendRecord): Promise<Position> {
    const { fail = 0, loseAnswer = 0, duplicate = 0, delay = 0, maxDelayMs = 100 } = this.#rates;
    // Drawn before anything is awaited, so that a seed means the same faults whatever the timing.
    const [failed, lost, doubled] = [this.#prng.next() < fail, this.#prng.next() < loseAnswer, this.#prng.next() < duplicate];
    const delayMs = this.#prng.next() < delay ? this.#prng.next() * maxDelayMs : 0;
    if (failed) throw new HeliosError('log_unavailable', 'cannot append: injected fault');
    const writes = [this.#inner.append(record)];
    if (doubled) writes.push(this.#inner.append(record));
    const [position] = await Promise.all(writes);
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    if (lost) throw new HeliosError('log_unavailable', 'cannot append: the answer was lost (injected fault)');
    return position as Position;
  }

  get supports(): LogSupport {
    return this.#inner.supports;
  }

  findRequest(keyHash: string): KnownRequest | undefined {
    return this.#inner.findRequest(keyHash);
  }

  committedOffset(): number {
    return this.#inner.committedOffset();
  }

  onCommit(listener: (nextOffset: number) => void): () => void {
    return this.#inner.onCommit(listener);
  }

  acknowledge(reader: string, nextOffset: number): void {
    this.#inner.acknowledge(reader, nextOffset);
  }

  retain(limits: RetentionLimits, nowMs: number): Promise<number> {
    return this.#inner.retain(limits, nowMs);
  }

  status(): LogStatus {
    return this.#inner.status();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
