import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import { backoffMs } from '../backoff.ts';
import type { Archive, WriteOptions } from './archive.ts';
import { archivedReports, archiveFailures, archiveWaiting } from './metrics.ts';

/** Written at the same time to one archive. */
const MAX_RUNNING = 4;
/** Kept in memory for one archive, running or waiting; what comes past it is not archived. */
const MAX_HELD = 500;
/** Half an hour with the delays of `backoffMs`; then the report is given up. */
const MAX_FAILURES = 32;
/** How long a stop waits for what is being written. */
const CLOSE_GRACE_MS = 5000;
const STOPPING = 'the process is stopping';

export interface ArchiveWriterOptions {
  archives: readonly Archive[];
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

export interface ArchiveWriter extends AsyncDisposable {
  /**
   * Writes a stored report to every archive, now or later when that fails. Never rejects; resolves when each archive was tried once,
   * which nobody has to wait for.
   */
  write(report: Report, incident: Pick<Incident, 'startedAt'>, options?: WriteOptions): Promise<void>;
  /** Reports that were given up so far, each counted for each archive. */
  readonly lost: number;
}

interface Job {
  report: Report;
  incident: Pick<Incident, 'startedAt'>;
  options: WriteOptions;
  failures: number;
}

/** One archive's queue. What has the same place is written one after the other. */
class ArchiveLane {
  readonly #archive: Archive;
  readonly #options: ArchiveWriterOptions;
  /** By place, the last that came for it: an older one is not tried again. */
  readonly #last = new Map<string, Job>();
  /** By place, the end of what is written there. */
  readonly #tails = new Map<string, Promise<void>>();
  readonly #retries = new Map<Job, () => void>();
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #held = 0;
  lost = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(archive: Archive, options: ArchiveWriterOptions) {
    this.#archive = archive;
    this.#options = options;
  }

  write(report: Report, incident: Pick<Incident, 'startedAt'>, options: WriteOptions): Promise<void> {
    const job: Job = { report, incident, options, failures: 0 };
    const place = this.#placeOf(job);
    const last = this.#last.get(place);
    // The newer one has everything that this one has.
    if (last && last.report.version > report.version) return Promise.resolve();
    this.#dropRetry(last);
    if (this.#state !== 'open' || this.#held >= MAX_HELD) {
      this.#tellLost(job, this.#state === 'open' ? `${MAX_HELD} reports wait already` : STOPPING);
      return Promise.resolve();
    }
    this.#last.set(place, job);
    this.#hold(1);
    return this.#start(job);
  }

  /** What is queued has its first try, for as long as `CLOSE_GRACE_MS`; what would be tried again is given up. */
  async close(): Promise<void> {
    this.#state = 'closing';
    for (const job of this.#retries.keys()) {
      this.#dropRetry(job);
      this.#tellLost(job, STOPPING);
    }
    const stop = this.#options.clock.after(CLOSE_GRACE_MS, () => {
      this.#state = 'closed';
      void this.#archive[Symbol.asyncDispose]();
    });
    await Promise.all(this.#tails.values());
    stop();
    await this.#archive[Symbol.asyncDispose]();
  }

  #placeOf({ report: { incidentId, version } }: Job): string {
    return this.#archive.supports.versions ? `${incidentId} ${version}` : incidentId;
  }

  #hold(by: number): void {
    this.#held += by;
    this.#options.metrics.set(archiveWaiting, this.#held, { archive: this.#archive.name });
  }

  /** It is written, superseded or lost. */
  #release(job: Job): void {
    this.#hold(-1);
    const place = this.#placeOf(job);
    if (this.#last.get(place) === job) this.#last.delete(place);
  }

  #start(job: Job): Promise<void> {
    const place = this.#placeOf(job);
    const before = this.#tails.get(place) ?? Promise.resolve();
    const run = before
      .then(() => this.#inTurn(() => this.#attempt(job)))
      .finally(() => {
        if (this.#tails.get(place) === run) this.#tails.delete(place);
      });
    this.#tails.set(place, run);
    return run;
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    if (this.#running >= MAX_RUNNING) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      await run();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #attempt(job: Job): Promise<void> {
    try {
      if (this.#state === 'closed') throw new HeliosError('shutting_down', STOPPING);
      await this.#archive.write(job.report, job.incident, job.options);
      this.#options.metrics.add(archivedReports, 1, { archive: this.#archive.name });
      this.#release(job);
    } catch (error) {
      job.failures++;
      // A newer version that came meanwhile has everything that this one has.
      const isSuperseded = this.#last.get(this.#placeOf(job)) !== job;
      if (this.#state === 'open' && job.failures < MAX_FAILURES && !isSuperseded) {
        this.#retryLater(job, error);
        return;
      }
      this.#release(job);
      if (!isSuperseded) this.#tellLost(job, String(error));
    }
  }

  #retryLater(job: Job, error: unknown): void {
    const { metrics, logger, clock } = this.#options;
    const archive = this.#archive.name;
    const {
      failures,
      report: { incidentId, version },
    } = job;
    metrics.add(archiveFailures, 1, { archive, outcome: 'retried' });
    logger.warn('report not archived, will be tried again', { archive, incidentId, version, failures, error: String(error) });
    const stop = clock.after(backoffMs(failures), () => {
      this.#retries.delete(job);
      void this.#start(job);
    });
    this.#retries.set(job, stop);
  }

  #dropRetry(job: Job | undefined): void {
    const stop = job && this.#retries.get(job);
    if (!job || !stop) return;
    stop();
    this.#retries.delete(job);
    this.#release(job);
  }

  #tellLost({ report: { incidentId, version }, failures }: Job, error: string): void {
    this.lost++;
    const archive = this.#archive.name;
    this.#options.metrics.add(archiveFailures, 1, { archive, outcome: 'lost' });
    this.#options.logger.error('report not archived, it is only in the store', { archive, incidentId, version, failures, error });
  }
}

/** Writes reports to archives, which it owns; each archive by itself, so that one that is away holds up no other and no report. */
export function createArchiveWriter(options: ArchiveWriterOptions): ArchiveWriter {
  const lanes = options.archives.map((archive) => new ArchiveLane(archive, options));
  return {
    async write(report, incident, options = {}) {
      await Promise.all(lanes.map((lane) => lane.write(report, incident, options)));
    },
    get lost() {
      return lanes.reduce((sum, lane) => sum + lane.lost, 0);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
