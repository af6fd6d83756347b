/** Times further ahead of all others are of a clock that is wrong, unless the data as a whole has jumped. */
const AHEAD_MS = 60_000;
/** Records in a row that are so far ahead make a jump. */
const JUMP_RECORDS = 3;

/** How far event time is, by the bounds of the records that come; one wild event does not move it. */
export class EventTime {
  #newestMs = -Infinity;
  #ahead = 0;
  #aheadMs = Infinity;

  /** -Infinity before the first record. */
  get newestMs(): number {
    return this.#newestMs;
  }

  observe(minMs: number, maxMs: number): void {
    const timeMs = maxMs - minMs > AHEAD_MS ? minMs : maxMs;
    if (timeMs <= this.#newestMs + AHEAD_MS) {
      this.#newestMs = Math.max(this.#newestMs, timeMs);
      this.#ahead = 0;
      this.#aheadMs = Infinity;
      return;
    }
    this.#ahead++;
    this.#aheadMs = Math.min(this.#aheadMs, timeMs);
    if (this.#ahead < JUMP_RECORDS && this.#newestMs !== -Infinity) return;
    this.#newestMs = this.#aheadMs;
    this.#ahead = 0;
    this.#aheadMs = Infinity;
  }
}
