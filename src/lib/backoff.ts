import type { Prng } from './prng.ts';

export interface BackoffLimits {
  firstMs: number;
  longestMs: number;
}

/**
 * Delays between tries that double from the first to the longest, each drawn from its upper half, so that many who failed
 * together do not come back together.
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #prng: Prng;
  #failures = 0;

  constructor(limits: BackoffLimits, prng: Prng) {
    this.#limits = limits;
    this.#prng = prng;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds to wait after one more failure. */
  nextMs(): number {
    const { firstMs, longestMs } = this.#limits;
    const whole = Math.min(longestMs, firstMs * 2 ** this.#failures++);
    return whole / 2 + (this.#prng.next() * whole) / 2;
  }

  reset(): void {
    this.#failures = 0;
  }
}
