import type { Config } from '../../config/config.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import type { BatchStop, InvokedReporter } from '../../report/lambda.ts';
import type { PartitionBatch } from '../../report/lambda/kafka-event.ts';
import type { Database } from '../../store/timescale/database.ts';
import type { IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import { checkSchema } from '../../store/timescale/migrator.ts';
import { createOutbox } from '../../store/timescale/outbox.ts';
import type { SettleOptions } from '../../store/timescale/pending-alerts.ts';
import { openDatabase } from '../../store/timescale/pg-database.ts';
import { createReportJobs } from '../../store/timescale/report-jobs.ts';
import { openTimescaleStore } from '../../store/timescale/timescale-store.ts';
import type { Report } from '../../model/report.ts';
import { openReporting } from '../reporting.ts';
import { openLedger } from '../production/ledger.ts';
import { ReportWorker } from '../production/report-jobs.ts';
import { BatchKeeper } from './kept-batches.ts';
import { LastThings } from './last-things.ts';

/** How long an alert waits for a partition that says nothing, on the wall clock; as for the role `report`. */
const HOLD_MS = 250;
const TRIM_EVERY_MS = 600_000;
const KEEP_MS = 24 * 3_600_000;
/** A database that is not there by then fails the invocation, and the mapping comes again. */
const WAIT_MS = 5000;

export interface LambdaReporterOptions {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  prng: Prng;
  /** This environment among its like, for the database's eyes. */
  owner: string;
}

interface Parts {
  options: LambdaReporterOptions;
  database: Database;
  ledger: IncidentLedger;
  keeper: BatchKeeper;
  worker: ReportWorker;
  lastThings: LastThings;
}

class LambdaReporter implements InvokedReporter, AsyncDisposable {
  readonly #parts: Parts;
  readonly #settling: SettleOptions;
  readonly #scope: AsyncDisposableStack;
  #trimmedMs = -Infinity;

  constructor(parts: Parts, scope: AsyncDisposableStack) {
    const { clock: mode, kafka } = parts.options.config;
    this.#parts = parts;
    this.#scope = scope;
    // Nobody asks the brokers here: all topics have the number of partitions that is configured.
    this.#settling = { mode, partitions: kafka.partitions, tracePartitions: kafka.partitions, holdMs: HOLD_MS };
  }

  keep(batches: readonly PartitionBatch[]): Promise<BatchStop[]> {
    return this.#parts.keeper.keep(batches);
  }

  async work(isOver: () => boolean): Promise<{ alerts: number; reports: number }> {
    const { worker, options, lastThings } = this.#parts;
    let alerts = await this.#settle();
    if (options.config.clock === 'wall' && (await this.#someWait())) {
      await options.clock.sleep(HOLD_MS);
      alerts += await this.#settle();
    }
    await this.#trim();
    let reports = 0;
    try {
      while (!isOver() && (await worker.step())) reports++;
    } catch (error) {
      options.logger.error('reports that are due are left to the next invocation', { reason: String(error) });
    }
    await lastThings.finish(isOver);
    return { alerts, reports };
  }

  async #settle(): Promise<number> {
    for (let sum = 0; ;) {
      const settled = await this.#parts.ledger.settle(this.#settling);
      if (settled === 0) return sum;
      sum += settled;
    }
  }

  async #someWait(): Promise<boolean> {
    const { rows } = await this.#parts.database.query('SELECT FROM pending_alerts WHERE settled_at IS NULL LIMIT 1');
    return rows.length > 0;
  }

  /** What a role does by a timer is done now and then by whoever is called. */
  async #trim(): Promise<void> {
    const { options, ledger, database } = this.#parts;
    const nowMs = options.clock.monotonicMs();
    if (nowMs - this.#trimmedMs < TRIM_EVERY_MS) return;
    this.#trimmedMs = nowMs;
    await ledger.trim(KEEP_MS);
    await createOutbox(database).trim(KEEP_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.disposeAsync();
  }
}

/**
 * Connects to the database, whose schema somebody else brings up to date, and makes of it what a function needs. Rejects with `unavailable`
 * when it is not there within 5 s, with `invalid_config` when its schema is another.
 */
export async function openLambdaReporter(options: LambdaReporterOptions): Promise<InvokedReporter & AsyncDisposable> {
  const { config, clock, logger, metrics, prng, owner } = options;
  await using opening = new AsyncDisposableStack();
  const applicationName = 'helios lambda';
  const database = opening.use(
    await openDatabase({ config: config.database, logger, clock, metrics, prng, applicationName, waitMs: WAIT_MS }),
  );
  await checkSchema(database);
  const store = opening.use(
    await openTimescaleStore({ database, clock, logger, storeConfig: config.store, topic: config.kafka.topic_events }),
  );
  const ledger = openLedger({ config, database, logger });
  const keeper = new BatchKeeper({ ledger, records: store.records, clock, logger, prng });
  const jobs = createReportJobs(database, {
    intervalMs: config.report.update_interval,
    rebuildMs: config.report.rebuild_after,
  });
  const reporting = openReporting(
    { config, store, clock, now: () => clock.nowMs(), prng, logger, metrics, owner, directory: null },
    opening,
  );
  const { writer, archive, delivery } = reporting;
  const lastThings = new LastThings({ archive, delivery, clock });
  const onReport = (report: Report): void => {
    lastThings.narration?.hear(report);
    delivery?.wake(report.incidentId);
  };
  const engines = { clock, logger, metrics, owner };
  const worker = new ReportWorker({ engines, store, jobs, writer, archive: lastThings.archive, onReport });
  lastThings.narration = reporting.startNarration((report) => worker.amend(report), { delayMs: 0 });
  return new LambdaReporter({ options, database, ledger, keeper, worker, lastThings }, opening.move());
}
