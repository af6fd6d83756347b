import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Archive } from './archive.ts';

/** Archives are filed by the day. */
const PERIOD_MS = 6 * 3_600_000;
/** After a start and after a failure. */
const SOON_MS = 10 * 60_000;

export interface ArchiveRetentionOptions {
  archives: readonly Archive[];
  /** How long reports are kept, milliseconds; Infinity for ever. */
  keepMs: number;
  /** What "now" means: the time of day, or the time of the data. */
  now: () => number | Promise<number>;
  clock: Clock;
  logger: Logger;
}

/** Removes from archives what is past its retention, now and then; any number of processes may do it. */
export function openArchiveRetention({ archives, keepMs, now, clock, logger }: ArchiveRetentionOptions): AsyncDisposable {
  if (keepMs === Infinity) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  let isClosed = false;
  let stop = (): void => {};
  const removeFrom = async (archive: Archive, beforeMs: number): Promise<boolean> => {
    try {
      const removed = await archive.remove(beforeMs);
      if (removed > 0) logger.info('removed reports that are past their retention', { archive: archive.name, removed });
      return true;
    } catch (error) {
      if (!isClosed) logger.warn('old reports not removed, will be tried again', { archive: archive.name, error: String(error) });
      return false;
    }
  };
  const run = async (): Promise<boolean> => {
    const beforeMs = (await now()) - keepMs;
    const done = await Promise.all(archives.map((archive) => removeFrom(archive, beforeMs)));
    return done.every(Boolean);
  };
  const plan = (delayMs: number): void => {
    if (isClosed) return;
    stop = clock.after(delayMs, () => {
      run().then(
        (isDone) => plan(isDone ? PERIOD_MS : SOON_MS),
        () => plan(SOON_MS),
      );
    });
  };
  plan(SOON_MS);
  return {
    // What is being removed ends when its archive is closed; the rest is removed after the next start.
    [Symbol.asyncDispose]() {
      isClosed = true;
      stop();
      return Promise.resolve();
    },
  };
}
