import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Prng } from '../../lib/prng.ts';

const RETRY = { firstMs: 100, longestMs: 10_000 };

export interface PatientCommitOptions {
  clock: Clock;
  logger: Logger;
  prng: Prng;
  /** Aborted when the partition is another's or the process stops: then a failure is not waited out. */
  signal: AbortSignal;
}

/** Whether waiting may help: the database is away, full, locked, or in the wrong mode. */
function isPassing(error: unknown): error is HeliosError {
  return error instanceof HeliosError && (error.code === 'unavailable' || error.code === 'disk_full');
}

/** Runs `commit` until it resolves; between tries it waits, and what has been read stays in memory, in order. */
export async function commitPatiently(commit: () => Promise<void>, options: PatientCommitOptions): Promise<void> {
  const { clock, logger, prng, signal } = options;
  const backoff = new Backoff(RETRY, prng);
  for (;;) {
    try {
      await commit();
      if (backoff.failures > 0) logger.info('the database takes commits again', { failures: backoff.failures });
      return;
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      if (backoff.failures === 0)
        logger.warn('cannot commit: trying again until the database takes it', { reason: error.message });
      await clock.sleep(backoff.nextMs(), signal).catch(() => {
        throw error;
      });
    }
  }
}
