/** The only source of time and timers; everything else is given one, so that tests replay time by hand. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Monotonic clock, milliseconds with a fraction; only differences mean anything. */
  monotonicMs(): number;
  /** Calls `run` every `periodMs` until the returned function is called; does not keep the process alive. */
  every(periodMs: number, run: () => void): () => void;
  /** Calls `run` once after `delayMs` unless the returned function is called first; does not keep the process alive. */
  after(delayMs: number, run: () => void): () => void;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. Keeps the process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** What a timer of Node.js can hold, 24.8 days; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer of any length, also Infinity; returns how to stop it. */
function startTimer(delayMs: number, keepsAlive: boolean, run: () => void): () => void {
  let timer: NodeJS.Timeout;
  const start = (leftMs: number): void => {
    timer = setTimeout(() => (leftMs > MAX_TIMER_MS ? start(leftMs - MAX_TIMER_MS) : run()), Math.min(leftMs, MAX_TIMER_MS));
    if (!keepsAlive) timer.unref();
  };
  start(delayMs);
  return () => clearTimeout(timer);
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      stop();
      reject(signal?.reason as Error);
    };
    const stop = startTimer(delayMs, true, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  every(periodMs, run) {
    const timer = setInterval(run, Math.min(periodMs, MAX_TIMER_MS));
    timer.unref();
    return () => clearInterval(timer);
  },
  after: (delayMs, run) => startTimer(delayMs, false, run),
  sleep,
};

/** ISO 8601 in UTC with milliseconds, the form every API answer uses. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds of an RFC 3339 or ISO 8601 time, or NaN. */
export function parseTime(text: string): number {
  return Date.parse(text);
}

/** A clock that moves only when told to; timers fire in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { due: number; periodMs: number; run: () => void }[] = [];

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  /** Timers neither fired nor stopped. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  every(periodMs: number, run: () => void): () => void {
    return this.#add({ due: this.#now + periodMs, periodMs, run });
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#add({ due: this.#now + delayMs, periodMs: 0, run });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Moves time forward, firing every timer that comes due on the way. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.due <= end).toSorted((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.#now = next.due;
      if (next.periodMs > 0) next.due += next.periodMs;
      else this.#timers = this.#timers.filter((timer) => timer !== next);
      next.run();
    }
    this.#now = end;
  }

  #add(timer: { due: number; periodMs: number; run: () => void }): () => void {
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
}
