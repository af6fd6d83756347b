import { Backoff } from '../../lib/backoff.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Prng } from '../../lib/prng.ts';

const LIMITS = { firstMs: 1000, longestMs: 300_000 };
/** Failures in a row after which a receiver is left alone for a while. */
const OPEN_AFTER = 3;

/** Milliseconds before the next try of a message after so many, drawn from the upper half of a delay that doubles up to five minutes. */
export function retryDelayMs(attempts: number, prng: Prng): number {
  const whole = Math.min(LIMITS.longestMs, LIMITS.firstMs * 2 ** Math.max(0, attempts - 1));
  return whole / 2 + (prng.next() * whole) / 2;
}

function retryAfterMs(error: unknown): number {
  const wanted = error instanceof HeliosError ? error.details['retryAfterMs'] : undefined;
  return typeof wanted === 'number' && wanted > 0 ? Math.min(wanted, 3_600_000) : 0;
}

/** Whether a receiver answers: after failures in a row it is asked again with one message at growing intervals, and when it has said how long to wait. */
export class ReceiverHealth {
  readonly #backoff: Backoff;
  #pausedUntilMs = 0;
  #failures = 0;
  #recoveredMs = -Infinity;
  #hasRefused = false;

  constructor(prng: Prng) {
    this.#backoff = new Backoff(LIMITS, prng);
  }

  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Infinity when nothing is sent to it until the configuration changes. */
  get pausedUntilMs(): number {
    return this.#hasRefused ? Infinity : this.#pausedUntilMs;
  }

  /** When it last answered after it had been left alone; -Infinity: never. */
  get recoveredMs(): number {
    return this.#recoveredMs;
  }

  succeeded(nowMs: number): void {
    if (this.#failures >= OPEN_AFTER) this.#recoveredMs = nowMs;
    this.#failures = 0;
    this.#pausedUntilMs = 0;
    this.#backoff.reset();
  }

  failed(error: unknown, nowMs: number): void {
    if (error instanceof HeliosError && error.code === 'invalid_config') {
      this.#hasRefused = true;
      return;
    }
    this.#failures++;
    const pauseMs = this.#failures >= OPEN_AFTER ? this.#backoff.nextMs() : 0;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + Math.max(pauseMs, retryAfterMs(error)));
  }
}
