import path from 'node:path';
import type { Report } from '../../model/report.ts';
import type { Delivery } from '../../report/notify/delivery.ts';
import type { Store } from '../../store/store.ts';
import { openPartitionGroup } from '../../log/kafka/partition-group.ts';
import { createOutbox } from '../../store/timescale/outbox.ts';
import { createReportJobs } from '../../store/timescale/report-jobs.ts';
import { openTimescaleStore } from '../../store/timescale/timescale-store.ts';
import { AlertIntake } from './alert-intake.ts';
import { recordAlerts } from './alert-recorder.ts';
import { sendControl } from './control-sender.ts';
import { openLedger } from './ledger.ts';
import { openReporting } from '../reporting.ts';
import { readEventTime } from './event-clock.ts';
import { RepeatedWork } from './repeated-work.ts';
import { ReportWorker } from './report-jobs.ts';
import type { Engines } from './engines.ts';
import type { BackgroundRole } from './background-role.ts';

/** How long an alert waits for a partition that says nothing, on the wall clock. */
const HOLD_MS = 250;
const SETTLE_EVERY_MS = 250;
const REPORT_EVERY_MS = 250;
const TRIM_EVERY_MS = 600_000;
/** Announced documents are kept for consoles that were away; settled alerts for repeats after a crash. */
const KEEP_MS = 24 * 3_600_000;
const GROUP = 'reporters';

/** What reports are written with, and who is told of them. */
function openWriting(
  engines: Engines,
  store: Store,
  scope: AsyncDisposableStack,
): { worker: ReportWorker; delivery: Delivery | null } {
  const { config, database, clock } = engines;
  const { update_interval: intervalMs, rebuild_after: rebuildMs, directory } = config.report;
  const jobs = createReportJobs(database, { intervalMs, rebuildMs });
  const reporting = openReporting(
    {
      ...engines,
      store,
      now: () => (config.clock === 'events' ? readEventTime(database) : clock.nowMs()),
      directory: directory ?? path.join(path.resolve(config.data_dir), 'reports'),
    },
    scope,
  );
  const { writer, archive, delivery } = reporting;
  const onReport = (report: Report): void => {
    narration?.hear(report);
    delivery?.wake(report.incidentId);
  };
  const worker = new ReportWorker({ engines, store, jobs, writer, archive, onReport });
  const narration = reporting.startNarration((report) => worker.amend(report));
  return { worker, delivery };
}

/** Makes incidents of alerts, and writes their reports; any number of processes make one of each. */
export async function openReportRole(engines: Engines): Promise<BackgroundRole> {
  const { config, database, connection, deadLetters, clock, logger, partitions } = engines;
  const { topic_events: events, topic_traces: traces, topic_anomalies: alerts } = config.kafka;
  await using opening = new AsyncDisposableStack();
  const ledger = openLedger(engines);
  const store = opening.use(
    await openTimescaleStore({ database, clock, logger, storeConfig: config.store, topic: config.kafka.topic_events }),
  );
  const { worker, delivery } = openWriting(engines, store, opening);
  const outbox = createOutbox(database);
  const settling = {
    mode: config.clock,
    partitions: partitions.get(events) ?? 0,
    tracePartitions: partitions.get(traces) ?? 0,
    holdMs: HOLD_MS,
  };
  const common = { clock, logger, prng: engines.prng };
  const reports = opening.use(
    new RepeatedWork({ ...common, name: 'write reports', everyMs: REPORT_EVERY_MS, step: () => worker.step() }),
  );
  const intake = new AlertIntake(ledger, settling, () => settler.wake());
  const settle = async (): Promise<boolean> => {
    const settled = await intake.settle();
    if (settled > 0) {
      reports.wake();
      delivery?.wake();
    }
    return settled > 0;
  };
  const settler = opening.use(new RepeatedWork({ ...common, name: 'settle alerts', everyMs: SETTLE_EVERY_MS, step: settle }));
  const drain = async (): Promise<boolean> => (await sendControl(engines, ledger)) > 0;
  const control = opening.use(new RepeatedWork({ ...common, name: 'send decisions', everyMs: SETTLE_EVERY_MS, step: drain }));
  const trim = async (): Promise<boolean> => {
    await ledger.trim(KEEP_MS);
    await outbox.trim(KEEP_MS);
    return false;
  };
  opening.use(new RepeatedWork({ ...common, name: 'trim what is announced', everyMs: TRIM_EVERY_MS, step: trim }));
  const group = opening.use(
    await openPartitionGroup({
      connection,
      group: GROUP,
      topics: [alerts],
      work: (assigned) => recordAlerts(assigned, { engines, intake, group: GROUP }),
      onUnreadable: (letter) => deadLetters.put(letter),
    }),
  );
  const scope = opening.move();
  return {
    failure: () => group.failure() ?? settler.failure() ?? reports.failure() ?? control.failure(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}
