import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Prng } from '../../lib/prng.ts';

export interface RepeatedWorkOptions {
  /** The X of "cannot X". */
  name: string;
  everyMs: number;
  /** Does what is to be done; true when there may be more at once. */
  step: () => Promise<boolean>;
  clock: Clock;
  logger: Logger;
  prng: Prng;
}

const RETRY = { firstMs: 250, longestMs: 10_000 };

/** Does something again and again, at once when woken, later and later while it fails. */
export class RepeatedWork implements AsyncDisposable {
  readonly #options: RepeatedWorkOptions;
  readonly #stopping = new AbortController();
  readonly #backoff: Backoff;
  readonly #running: Promise<void>;
  #failure: Error | null = null;
  #isWoken = false;
  #wake = (): void => {};

  constructor(options: RepeatedWorkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(RETRY, options.prng);
    this.#running = this.#run();
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  failure(): Error | null {
    return this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#isWoken = false;
      const hasMore = await this.#step();
      if (hasMore || this.#stopping.signal.aborted) continue;
      // A failure is waited out also when there is news.
      if (this.#failure) await this.#pause(this.#backoff.nextMs());
      else if (!this.#isWoken) await this.#pause(this.#options.everyMs);
    }
  }

  async #step(): Promise<boolean> {
    const { step, name, logger } = this.#options;
    try {
      const hasMore = await step();
      if (this.#failure) logger.info(`could ${name} again`, { failures: this.#backoff.failures });
      this.#failure = null;
      this.#backoff.reset();
      return hasMore;
    } catch (error) {
      if (!this.#failure) logger.warn(`cannot ${name}: trying again`, { reason: String(error) });
      this.#failure = error as Error;
      return false;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#wake = () => {
        if (this.#failure && !this.#stopping.signal.aborted) return;
        cancel();
        resolve();
      };
    });
  }
}
