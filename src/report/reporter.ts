import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import type { Store } from '../store/store.ts';
import type { ArchiveWriter } from './archive/archive-writer.ts';
import type { ReportConfig } from './config.ts';
import { reportFailures, reportSeconds, reportsBuilt } from './metrics.ts';
import type { ReportWriter } from './report-writer.ts';
import { ReportSchedule } from './schedule.ts';

export interface ReporterDeps {
  store: Store;
  config: ReportConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  writer: ReportWriter;
  archive: Pick<ArchiveWriter, 'write'>;
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
  /** Goes on with an incident whose first and newest reports are those of an earlier process. */
  resume(incident: Incident, first: Report, newest: Report): void;
  /** Stores a report to which something was added as the next version, with what has become of the facts since. */
  amend(report: Report): Promise<void>;
}

/** The reporter over a store. Disposing it waits for reports that are running. */
export function createReporter(deps: ReporterDeps): Reporter {
  const { store, config, clock, logger, metrics, writer, archive } = deps;
  const latest = new Map<string, Promise<unknown>>();

  async function keep(report: Report, startedAt: string): Promise<void> {
    await store.put('report', report);
    try {
      deps.onReport(report);
    } catch (error) {
      logger.error('report not announced', { incidentId: report.incidentId, error: String(error) });
    }
    // It goes its own way when that takes long or fails.
    void archive.write(report, { startedAt });
  }

  async function build(incident: Incident): Promise<Report> {
    const startMs = clock.monotonicMs();
    const { facts, report } = await writer.write(incident, await store.get('report', incident.id));
    await keep(report, facts.incident.startedAt);
    metrics.observe(reportSeconds, (clock.monotonicMs() - startMs) / 1000);
    metrics.add(reportsBuilt, 1, { verdict: report.verdict });
    return report;
  }

  async function amend(report: Report): Promise<void> {
    const [incident, newest] = await Promise.all([
      store.get('incident', report.incidentId),
      store.get('report', report.incidentId),
    ]);
    if (!incident) return;
    const isNext = (newest?.version ?? 0) + 1 === report.version;
    const next = isNext ? report : (await writer.write(incident, report, (newest?.version ?? 0) + 1)).report;
    await keep(next, incident.startedAt);
  }

  function inTurn<T>(incidentId: string, work: () => Promise<T>): Promise<T> {
    const before = latest.get(incidentId) ?? Promise.resolve();
    const run = before.then(work, work);
    latest.set(incidentId, run);
    const forget = (): void => {
      if (latest.get(incidentId) === run) latest.delete(incidentId);
    };
    run.then(forget, forget);
    return run;
  }

  const report = (incident: Incident): Promise<Report> => inTurn(incident.id, () => build(incident));
  const schedule = new ReportSchedule({
    clock,
    intervalMs: config.update_interval,
    rebuildMs: config.rebuild_after,
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
    resume: (incident, first, newest) =>
      schedule.resume(incident, { firstMs: Date.parse(first.createdAt), reportedMs: Date.parse(newest.createdAt) }),
    amend: (amended) => inTurn(amended.incidentId, () => amend(amended)),
    async [Symbol.asyncDispose]() {
      await schedule[Symbol.asyncDispose]();
      await Promise.allSettled(latest.values());
    },
  };
}
