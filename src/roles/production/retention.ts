import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Database } from '../../store/timescale/database.ts';
import { retain } from '../../store/timescale/retention.ts';
import { RepeatedWork } from './repeated-work.ts';

export const RETENTION_PERIOD_MS = 3_600_000;
/** After a start, and after a failure; up to twice that, so that partitions do not come all at once. */
const SOON_MS = 60_000;

export interface RetentionOptions {
  /** How long it is kept, milliseconds; Infinity for ever. */
  keepMs: number;
  /** What "now" means: the time of day, or the time of the data. */
  now: () => Promise<number>;
  clock: Clock;
  logger: Logger;
  prng: Prng;
}

/** Removes what is too old of one partition, every hour, between its commits: its writer does one thing at a time. */
export class PartitionRetention {
  readonly #options: RetentionOptions;
  readonly #remove: (beforeMs: number) => Promise<void>;
  readonly #place: { topic: string; partition: number };
  #dueMs: number;

  constructor(
    options: RetentionOptions,
    place: { topic: string; partition: number },
    remove: (beforeMs: number) => Promise<void>,
  ) {
    this.#options = options;
    this.#place = { topic: place.topic, partition: place.partition };
    this.#remove = remove;
    this.#dueMs = options.keepMs === Infinity ? Infinity : this.#soon();
  }

  isDue(): boolean {
    return this.#options.clock.monotonicMs() >= this.#dueMs;
  }

  /** Never rejects: what cannot be removed now stays until it can, and storing goes on. */
  async run(): Promise<void> {
    const { keepMs, now, clock, logger } = this.#options;
    try {
      await this.#remove((await now()) - keepMs);
      this.#dueMs = clock.monotonicMs() + RETENTION_PERIOD_MS;
    } catch (error) {
      logger.warn('cannot remove what is past its retention: trying again soon', { ...this.#place, reason: String(error) });
      this.#dueMs = this.#soon();
    }
  }

  #soon(): number {
    const { clock, prng } = this.#options;
    return clock.monotonicMs() + SOON_MS * (1 + prng.next());
  }
}

/** Removes rows that are too old of the tables that all partitions share, every hour; for one process at a time. */
export function openTableRetention(options: RetentionOptions & { database: Database }): AsyncDisposable {
  const { keepMs, now, database, clock, logger, prng } = options;
  if (keepMs === Infinity) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const stopping = new AbortController();
  const step = async (): Promise<boolean> => {
    const { deletedRows, droppedChunks } = await retain(database, (await now()) - keepMs, { signal: stopping.signal });
    if (deletedRows + droppedChunks > 0) logger.info('removed what is past its retention', { deletedRows, droppedChunks });
    return false;
  };
  const name = 'remove rows that are past their retention';
  const work = new RepeatedWork({ name, everyMs: RETENTION_PERIOD_MS, step, clock, logger, prng });
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await work[Symbol.asyncDispose]();
    },
  };
}
