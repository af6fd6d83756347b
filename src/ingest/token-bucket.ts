import type { Clock } from '../lib/clock.ts';

/**
 * Token bucket that may go into debt: a request is let in while tokens are left, whatever its size, so that one larger than
 * the bucket still passes; those after it wait until the debt is paid.
 */
export class TokenBucket {
  readonly #ratePerMs: number;
  readonly #capacity: number;
  #tokens: number;
  #updatedMs: number;

  constructor(ratePerSecond: number, burstMs: number, nowMs: number) {
    this.#ratePerMs = ratePerSecond / 1000;
    this.#capacity = Math.max(1, this.#ratePerMs * burstMs);
    this.#tokens = this.#capacity;
    this.#updatedMs = nowMs;
  }

  /** Milliseconds until a request is let in; 0 is now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens > 0 ? 0 : Math.ceil((1 - this.#tokens) / this.#ratePerMs);
  }

  take(tokens: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= tokens;
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#capacity;
  }

  #refill(nowMs: number): void {
    if (nowMs > this.#updatedMs)
      this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#updatedMs) * this.#ratePerMs);
    this.#updatedMs = Math.max(this.#updatedMs, nowMs);
  }
}

export interface ClientRates {
  /** 0 is no limit. */
  eventsPerSecond: number;
  bytesPerSecond: number;
  burstMs: number;
}

interface ClientBuckets {
  events: TokenBucket | null;
  bytes: TokenBucket | null;
}

/** More clients than this are swept of full buckets, which hold no information. */
const SWEEP_ABOVE = 10_000;

/** One pair of buckets a client: events and bytes. */
export class ClientLimits {
  readonly #rates: ClientRates;
  readonly #clock: Clock;
  readonly #clients = new Map<string, ClientBuckets>();

  constructor(rates: ClientRates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
  }

  /** Milliseconds that the client has to wait; 0 is none. */
  waitMs(client: string): number {
    const buckets = this.#bucketsOf(client);
    if (!buckets) return 0;
    const now = this.#clock.monotonicMs();
    return Math.max(buckets.events?.waitMs(now) ?? 0, buckets.bytes?.waitMs(now) ?? 0);
  }

  take(client: string, events: number, bytes: number): void {
    const buckets = this.#bucketsOf(client);
    if (!buckets) return;
    const now = this.#clock.monotonicMs();
    buckets.events?.take(events, now);
    buckets.bytes?.take(bytes, now);
  }

  #bucketsOf(client: string): ClientBuckets | null {
    const { eventsPerSecond, bytesPerSecond, burstMs } = this.#rates;
    if (eventsPerSecond === 0 && bytesPerSecond === 0) return null;
    let buckets = this.#clients.get(client);
    if (buckets) return buckets;
    const now = this.#clock.monotonicMs();
    if (this.#clients.size >= SWEEP_ABOVE) this.#sweep(now);
    const bucket = (rate: number): TokenBucket | null => (rate === 0 ? null : new TokenBucket(rate, burstMs, now));
    buckets = { events: bucket(eventsPerSecond), bytes: bucket(bytesPerSecond) };
    this.#clients.set(client, buckets);
    return buckets;
  }

  #sweep(nowMs: number): void {
    for (const [client, { events, bytes }] of this.#clients) {
      if ((events?.isFull(nowMs) ?? true) && (bytes?.isFull(nowMs) ?? true)) this.#clients.delete(client);
    }
  }
}
