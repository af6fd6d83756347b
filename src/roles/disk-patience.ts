import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';

const RETRY_MS = 1000;

/** How commits go on through failures that pass. */
export interface CommitPatience {
  /** Resolves once `commit` has; runs it again as long as it rejects with what passes. */
  commit(commit: () => Promise<void>): Promise<void>;
  /** Ends the waiting: the commit under way rejects, and the next run derives it anew. */
  stop(): void;
  /** Resolves as `work` does, but rejects while a commit waits; begun work then goes on. */
  unlessBlocked<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Lets commits wait while the disk is full, for what is still in a log would only pile up in memory; people are told so meanwhile.
 * What takes turns in one thread shares one.
 */
export class DiskPatience implements CommitPatience {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Set<(error: HeliosError) => void>();
  /** Why a commit waits, while one does. */
  #blocked: HeliosError | null = null;
  #isStopping = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Resolves once `commit` has; runs it again as long as it rejects with `disk_full`. */
  async commit(commit: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await commit();
        break;
      } catch (error) {
        if (!isDiskFull(error) || this.#isStopping) throw error;
        if (!this.#blocked) this.#logger.error('cannot commit derived data: the disk is full; trying again until it has room');
        this.#block(error);
        await this.#clock.sleep(RETRY_MS);
      }
    }
    if (this.#blocked) this.#logger.info('derived data is committed again');
    this.#blocked = null;
  }

  /** Ends the waiting: the commit under way rejects with `disk_full`, and the next run derives it anew. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves as `work` does, but rejects with `disk_full` while a commit waits for the disk; begun work then goes on. */
  async unlessBlocked<T>(work: () => Promise<T>): Promise<T> {
    if (this.#blocked) throw this.#blocked;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#waiting.add(reject);
    try {
      return await Promise.race([work(), promise]);
    } finally {
      this.#waiting.delete(reject);
    }
  }

  #block(error: HeliosError): void {
    this.#blocked = new HeliosError('disk_full', error.message, { cause: error, details: { retryAfterSeconds: 10 } });
    for (const reject of this.#waiting) reject(this.#blocked);
  }
}

export function isDiskFull(error: unknown): error is HeliosError {
  return error instanceof HeliosError && error.code === 'disk_full';
}
