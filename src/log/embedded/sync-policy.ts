/** Above this a blocked event loop costs more than a trip through the thread pool. */
export const FAST_SYNC_MS = 1;
/** Weight of the newest duration in the running mean. */
const WEIGHT = 0.1;
/** While asynchronous, one commit in so many is synchronous: only that measures the disk and not the event loop. */
const PROBE_EVERY = 200;

/**
 * How the next fdatasync is called. `auto` follows the disk as it is now: the same disk that answers in 0.3 ms when idle
 * takes 10 ms while a segment is being sealed on it.
 */
export class SyncPolicy {
  readonly #mode: 'auto' | 'sync' | 'async';
  #meanMs: number;
  #sinceProbe = 0;

  /** `probedMs`: the median of a probe at open, for `auto`. */
  constructor(mode: 'auto' | 'sync' | 'async', probedMs: number) {
    this.#mode = mode;
    this.#meanMs = probedMs;
  }

  /** `zeroFilling`: the commit brings zeros with it, which is slow however fast the disk is. */
  next(zeroFilling: boolean): 'sync' | 'async' {
    if (this.#mode !== 'auto') return this.#mode;
    if (zeroFilling) return 'async';
    if (this.#meanMs < FAST_SYNC_MS) return 'sync';
    this.#sinceProbe++;
    if (this.#sinceProbe < PROBE_EVERY) return 'async';
    this.#sinceProbe = 0;
    return 'sync';
  }

  /** A synchronous fdatasync without zeros took so long. */
  measured(durationMs: number): void {
    this.#meanMs += WEIGHT * (durationMs - this.#meanMs);
  }
}
