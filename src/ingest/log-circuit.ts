import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';

/** Failed commits in a row that open the circuit, and how long it stays open before one request probes the log. */
const FAILURES_TO_OPEN = 5;
const OPEN_MS = 1000;

function isLogFailure(error: unknown): error is HeliosError {
  return error instanceof HeliosError && (error.code === 'log_unavailable' || error.code === 'disk_full');
}

/**
 * Circuit breaker of one log. Without a wrapper around each append: while it is closed an append costs two comparisons, and
 * the same failure is what every refused request is told.
 */
export class LogCircuit {
  readonly #clock: Clock;
  #failures = 0;
  #failure: HeliosError | null = null;
  #failedMs = -Infinity;
  #isProbed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws what the log failed with while the circuit is open. Past its time a request has to get through to probe the log. */
  check(): void {
    if (this.#failures < FAILURES_TO_OPEN) return;
    if (this.#isProbed || this.#sinceFailureMs() < OPEN_MS) throw this.#failure as HeliosError;
  }

  /** Before an append; throws like `check`. Every call is followed by `succeeded` or `failed`. */
  enter(): void {
    if (this.#failures < FAILURES_TO_OPEN) return;
    this.check();
    this.#isProbed = true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failure = null;
    this.#isProbed = false;
  }

  failed(error: unknown): void {
    this.#isProbed = false;
    if (!isLogFailure(error)) return;
    this.#failures++;
    this.#failure = error;
    this.#failedMs = this.#clock.monotonicMs();
  }

  /** What the log failed with a moment ago and has not got over since, or null. */
  failure(): HeliosError | null {
    const freshMs = (this.#failure?.details.retryAfterSeconds ?? 0) * 1000;
    return this.#sinceFailureMs() < Math.max(freshMs, OPEN_MS) ? this.#failure : null;
  }

  #sinceFailureMs(): number {
    return this.#clock.monotonicMs() - this.#failedMs;
  }
}
