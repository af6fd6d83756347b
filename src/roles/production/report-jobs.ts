import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import { archiveReport } from '../../report/archive/local-archive.ts';
import { backoffMs } from '../../report/backoff.ts';
import { collectFacts } from '../../report/facts.ts';
import { reportFailures, reportsBuilt, reportSeconds } from '../../report/metrics.ts';
import { createPatience } from '../../report/patience.ts';
import type { Patience } from '../../report/patience.ts';
import { renderReport } from '../../report/template/document.ts';
import type { Store } from '../../store/store.ts';
import type { ReportJob, ReportJobs } from '../../store/timescale/report-jobs.ts';
import type { Engines } from './engines.ts';

/** How long one process may take before another takes the report over. */
const LEASE_MS = 30_000;

export interface ReportWorkerOptions {
  engines: Engines;
  store: Store;
  jobs: ReportJobs;
}

/** Writes the reports that are due, one at a time; several processes share them, and no report is written twice. */
export class ReportWorker {
  readonly #options: ReportWorkerOptions;
  readonly #patience: Patience;
  readonly #clock: Clock;

  constructor(options: ReportWorkerOptions) {
    this.#options = options;
    this.#clock = options.engines.clock;
    this.#patience = createPatience(this.#clock);
  }

  /** Writes the next report that is due; false when there is none. */
  async step(): Promise<boolean> {
    const { jobs, engines } = this.#options;
    const job = await jobs.claim(engines.owner, LEASE_MS);
    if (!job) return false;
    try {
      await this.#write(job);
    } catch (error) {
      const { metrics, logger } = engines;
      metrics.add(reportFailures, 1, { step: 'build' });
      logger.error('report failed, will be retried', { incidentId: job.incident.id, error: String(error) });
      await jobs.fail(job, backoffMs(job.failures + 1));
    }
    return true;
  }

  async #write(job: ReportJob): Promise<void> {
    const { jobs, store, engines } = this.#options;
    const { config, metrics } = engines;
    const startMs = this.#clock.monotonicMs();
    const facts = await collectFacts(store, job.incident, config.report, this.#patience);
    const report = renderReport(facts, { version: job.nextVersion, createdAt: isoTime(this.#clock.nowMs()) });
    if (!(await jobs.finish(job, report))) return;
    metrics.observe(reportSeconds, (this.#clock.monotonicMs() - startMs) / 1000);
    metrics.add(reportsBuilt, 1, { verdict: report.verdict });
    const directory = config.report.directory ?? path.join(path.resolve(config.data_dir), 'reports');
    try {
      await archiveReport(directory, report, facts.incident.startedAt);
    } catch (error) {
      metrics.add(reportFailures, 1, { step: 'archive' });
      engines.logger.error('report files not written', { incidentId: report.incidentId, error: String(error) });
    }
  }
}
