import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { archiveReport } from '../../report/archive/local-archive.ts';
import { backoffMs } from '../../report/backoff.ts';
import { collectFacts } from '../../report/facts.ts';
import { reportFailures, reportsBuilt, reportSeconds } from '../../report/metrics.ts';
import { createPatience } from '../../report/patience.ts';
import type { Patience } from '../../report/patience.ts';
import type { Report } from '../../model/report.ts';
import { renderReport } from '../../report/template/document.ts';
import type { Store } from '../../store/store.ts';
import type { ReportJob, ReportJobs } from '../../store/timescale/report-jobs.ts';
import type { Engines } from './engines.ts';

/** How long one process may take before another takes the report over. */
const LEASE_MS = 30_000;

/** A job under way, with its report once that is written. */
interface Work {
  job: ReportJob;
  startMs: number;
  written?: { report: Report; incidentStartedAt: string };
}

export interface ReportWorkerOptions {
  engines: Pick<Engines, 'config' | 'clock' | 'logger' | 'owner'> & { metrics: Metrics };
  store: Store;
  jobs: ReportJobs;
}

/** Writes the reports that are due, one at a time; several processes share them, and no report is written twice. */
export class ReportWorker {
  readonly #options: ReportWorkerOptions;
  readonly #patience: Patience;
  readonly #clock: Clock;
  /** Its report is written, and the database did not say whether it is stored. */
  #unfinished: Work | undefined;

  constructor(options: ReportWorkerOptions) {
    this.#options = options;
    this.#clock = options.engines.clock;
    this.#patience = createPatience(this.#clock);
  }

  /** Writes the next report that is due; false when there is none. `unavailable`: the next call goes on with the same one. */
  async step(): Promise<boolean> {
    const work = this.#unfinished ?? (await this.#claim());
    if (!work) return false;
    this.#unfinished = undefined;
    try {
      await this.#write(work);
    } catch (error) {
      const { metrics, logger } = this.#options.engines;
      const { job, written } = work;
      metrics.add(reportFailures, 1, { step: 'build' });
      logger.error('report failed, will be retried', { incidentId: job.incident.id, error: String(error) });
      if (written && error instanceof HeliosError && error.code === 'unavailable') {
        this.#unfinished = work;
        throw error;
      }
      await this.#options.jobs.fail(job, backoffMs(job.failures + 1));
    }
    return true;
  }

  async #claim(): Promise<Work | undefined> {
    const { jobs, engines } = this.#options;
    const job = await jobs.claim(engines.owner, LEASE_MS);
    return job && { job, startMs: this.#clock.monotonicMs() };
  }

  async #write(work: Work): Promise<void> {
    const { job, startMs } = work;
    const { jobs, engines } = this.#options;
    const { config, metrics } = engines;
    const { report, incidentStartedAt } = (work.written ??= await this.#build(job));
    if (!(await jobs.finish(job, report))) return;
    metrics.observe(reportSeconds, (this.#clock.monotonicMs() - startMs) / 1000);
    metrics.add(reportsBuilt, 1, { verdict: report.verdict });
    const directory = config.report.directory ?? path.join(path.resolve(config.data_dir), 'reports');
    try {
      await archiveReport(directory, report, incidentStartedAt);
    } catch (error) {
      metrics.add(reportFailures, 1, { step: 'archive' });
      engines.logger.error('report files not written', { incidentId: report.incidentId, error: String(error) });
    }
  }

  async #build(job: ReportJob): Promise<NonNullable<Work['written']>> {
    const { store, engines } = this.#options;
    const facts = await collectFacts(store, job.incident, engines.config.report, this.#patience);
    const report = renderReport(facts, { version: job.nextVersion, createdAt: isoTime(this.#clock.nowMs()) });
    return { report, incidentStartedAt: facts.incident.startedAt };
  }
}
