import { isoTime } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import type { Store } from '../store/store.ts';
import { archiveReport } from './archive/local-archive.ts';
import { backoffMs } from './backoff.ts';
import type { ReportConfig } from './config.ts';
import { collectFacts } from './facts.ts';
import { reportFailures, reportSeconds, reportsBuilt } from './metrics.ts';
import { createPatience } from './patience.ts';
import { ReportSchedule } from './schedule.ts';
import { renderReport } from './template/document.ts';

const MAX_ARCHIVE_RETRIES = 10;

export interface ReporterDeps {
  store: Store;
  config: ReportConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Where Markdown and JSON files go. */
  directory: string;
  /** Called with every stored report, once. */
  onReport: (report: Report) => void;
}

export interface Reporter extends AsyncDisposable {
  /**
   * Builds a report now and stores it as the incident's next version. Rejects when the store does; files that cannot be
   * written are logged and retried, and do not fail the report. Reports of one incident run one after the other.
   */
  report(incident: Incident): Promise<Report>;
  /** Hears of an incident that opened, changed or closed, and reports it by the policy of `ReportSchedule`. */
  onIncident(incident: Incident): void;
}

/** Writes a report's files now, or later when that fails; a newer version of the incident supersedes a waiting one. */
function createArchive({ directory, clock, logger, metrics }: ReporterDeps) {
  const waiting = new Map<string, () => void>();
  const writing = new Map<string, Promise<void>>();
  let closed = false;

  const attempt = async (report: Report, startedAt: string, failures: number): Promise<void> => {
    try {
      await archiveReport(directory, report, startedAt);
    } catch (error) {
      metrics.add(reportFailures, 1, { step: 'archive' });
      logger.error('report files not written', { incidentId: report.incidentId, failures: failures + 1, error: String(error) });
      if (closed || failures >= MAX_ARCHIVE_RETRIES) return;
      const retry = clock.after(backoffMs(failures + 1), () => start(report, startedAt, failures + 1));
      waiting.set(report.incidentId, retry);
    }
  };
  const start = (report: Report, startedAt: string, failures: number): void => {
    const id = report.incidentId;
    waiting.get(id)?.();
    waiting.delete(id);
    const before = writing.get(id) ?? Promise.resolve();
    const run = before
      .then(() => attempt(report, startedAt, failures))
      .finally(() => {
        if (writing.get(id) === run) writing.delete(id);
      });
    writing.set(id, run);
  };
  return {
    async write(report: Report, startedAt: string): Promise<void> {
      start(report, startedAt, 0);
      await writing.get(report.incidentId);
    },
    async close(): Promise<void> {
      closed = true;
      for (const cancel of waiting.values()) cancel();
      await Promise.all(writing.values());
    },
  };
}

/** The reporter over a store. Disposing it waits for reports that are running. */
export function createReporter(deps: ReporterDeps): Reporter {
  const { store, config, clock, logger, metrics } = deps;
  const archive = createArchive(deps);
  const patience = createPatience(clock);
  const latest = new Map<string, Promise<unknown>>();

  async function build(incident: Incident): Promise<Report> {
    const startMs = clock.monotonicMs();
    const [facts, previous] = await Promise.all([
      collectFacts(store, incident, config, patience),
      store.get('report', incident.id),
    ]);
    const report = renderReport(facts, { version: (previous?.version ?? 0) + 1, createdAt: isoTime(clock.nowMs()) });
    await store.put('report', report);
    metrics.observe(reportSeconds, (clock.monotonicMs() - startMs) / 1000);
    metrics.add(reportsBuilt, 1, { verdict: report.verdict });
    try {
      deps.onReport(report);
    } catch (error) {
      logger.error('report not announced', { incidentId: incident.id, error: String(error) });
    }
    await archive.write(report, facts.incident.startedAt);
    return report;
  }

  function report(incident: Incident): Promise<Report> {
    const before = latest.get(incident.id) ?? Promise.resolve();
    const run = before.then(
      () => build(incident),
      () => build(incident),
    );
    latest.set(incident.id, run);
    const forget = (): void => {
      if (latest.get(incident.id) === run) latest.delete(incident.id);
    };
    run.then(forget, forget);
    return run;
  }

  const schedule = new ReportSchedule({
    clock,
    intervalMs: config.update_interval,
    run: async (incident) => {
      try {
        await report(incident);
      } catch (error) {
        metrics.add(reportFailures, 1, { step: 'build' });
        logger.error('report failed, will be retried', { incidentId: incident.id, error: String(error) });
        throw error;
      }
    },
  });

  return {
    report,
    onIncident: (incident) => schedule.hear(incident),
    async [Symbol.asyncDispose]() {
      await schedule[Symbol.asyncDispose]();
      await Promise.allSettled(latest.values());
      await archive.close();
    },
  };
}
