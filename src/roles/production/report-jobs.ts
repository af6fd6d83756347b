import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { ArchiveWriter } from '../../report/archive/archive-writer.ts';
import { backoffMs } from '../../report/backoff.ts';
import { reportFailures, reportsBuilt, reportSeconds } from '../../report/metrics.ts';
import type { ReportWriter } from '../../report/report-writer.ts';
import type { Report } from '../../model/report.ts';
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
  engines: Pick<Engines, 'clock' | 'logger' | 'owner'> & { metrics: Metrics };
  store: Store;
  jobs: ReportJobs;
  writer: ReportWriter;
  archive: Pick<ArchiveWriter, 'write'>;
  /** Called with every stored report that this process wrote. */
  onReport: (report: Report) => void;
}

/** Writes the reports that are due, one at a time; several processes share them, and no report is written twice. */
export class ReportWorker {
  readonly #options: ReportWorkerOptions;
  readonly #clock: Clock;
  /** Its report is written, and the database did not say whether it is stored. */
  #unfinished: Work | undefined;

  constructor(options: ReportWorkerOptions) {
    this.#options = options;
    this.#clock = options.engines.clock;
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
    const { jobs, engines, archive, onReport } = this.#options;
    const { metrics } = engines;
    const { report, incidentStartedAt } = (work.written ??= await this.#build(job));
    if (!(await jobs.finish(job, report))) return;
    metrics.observe(reportSeconds, (this.#clock.monotonicMs() - startMs) / 1000);
    metrics.add(reportsBuilt, 1, { verdict: report.verdict });
    onReport(report);
    // It goes its own way when that takes long or fails.
    void archive.write(report, { startedAt: incidentStartedAt });
  }

  async #build({ incident, nextVersion }: ReportJob): Promise<NonNullable<Work['written']>> {
    const { store, writer } = this.#options;
    const previous = nextVersion > 1 ? await store.get('report', incident.id) : undefined;
    const { facts, report } = await writer.write(incident, previous);
    return { report, incidentStartedAt: facts.incident.startedAt };
  }

  /** Stores a report to which something was added, with what has become of the facts since. */
  async amend(report: Report): Promise<void> {
    const { jobs, store, archive, writer, onReport } = this.#options;
    const incident = await store.get('incident', report.incidentId);
    if (!incident) return;
    let next = report;
    while (!(await jobs.amend(next))) {
      const newest = await store.get('report', report.incidentId);
      next = (await writer.write(incident, report, (newest?.version ?? 0) + 1)).report;
    }
    onReport(next);
    void archive.write(next, { startedAt: incident.startedAt });
  }
}
