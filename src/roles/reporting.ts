import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Prng } from '../lib/prng.ts';
import { createRedactor } from '../lib/redaction/redactor.ts';
import type { Redactor } from '../lib/redaction/redactor.ts';
import type { Report } from '../model/report.ts';
import { openArchiveCatchUp } from '../report/archive/archive-catch-up.ts';
import { openArchiveRetention } from '../report/archive/archive-retention.ts';
import { createArchiveWriter } from '../report/archive/archive-writer.ts';
import type { ArchiveWriter } from '../report/archive/archive-writer.ts';
import { openArchives } from '../report/archive/open-archives.ts';
import { createNarrator } from '../report/llm/narrator.ts';
import { Narration } from '../report/narration.ts';
import { createNotifier } from '../report/notify/create-notifier.ts';
import { createDelivery } from '../report/notify/delivery.ts';
import type { Delivery } from '../report/notify/delivery.ts';
import { createReportWriter } from '../report/report-writer.ts';
import type { ReportWriter } from '../report/report-writer.ts';
import { createBudget } from '../report/spending/budget.ts';
import { priceFor, priceOf, UNKNOWN_PRICE } from '../report/spending/prices.ts';
import { createReceipts } from '../report/spending/receipts.ts';
import { openSpendingRetention } from '../report/spending/retention.ts';
import type { Store } from '../store/store.ts';

export interface ReportingOptions {
  config: Config;
  store: Store;
  /** Of the wall. */
  clock: Clock;
  /** What "now" means for the retention of the archive: the time of the data where the clock follows it. */
  now: () => number | Promise<number>;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  /** Of leases. */
  owner: string;
  /** Where files of reports go; null: nowhere. */
  directory: string | null;
}

/** What reports are written, kept and told with, in one process as in many. */
export interface Reporting {
  redactor: Redactor;
  writer: ReportWriter;
  archive: ArchiveWriter;
  /** Null when nobody is to be told. */
  delivery: Delivery | null;
  /** Has narratives added from now on; null without a model. `amend` stores and announces a report as the next version. */
  startNarration(amend: (report: Report) => Promise<void>, options?: { delayMs: number }): Narration | null;
}

/** One request to a receiver; a message may take several, and notify.send_timeout in all. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Grace beyond the model's own deadline before another process may think that this one is dead. */
const GRACE_MS = 60_000;

function openDelivery(
  { config, store, clock, prng, logger, metrics, owner }: ReportingOptions,
  redactor: Redactor,
): Delivery | null {
  const { receivers, ...delivery } = config.notify;
  if (receivers.length === 0) return null;
  const options = { redactor, clock, logger, timeoutMs: REQUEST_TIMEOUT_MS };
  const notifiers = new Map(receivers.map((receiver) => [receiver.name, createNotifier(receiver, options)]));
  return createDelivery({ store, notifiers, config: delivery, clock, prng, logger, metrics, owner });
}

function openNarrator(
  { config, store, clock, prng, logger, metrics }: ReportingOptions,
  redactor: Redactor,
  stopped: AbortSignal,
) {
  const { llm, budget, prices, receipts } = config.report;
  const { records } = store;
  return createNarrator({
    config: llm,
    clock,
    prng,
    logger,
    metrics,
    redactor,
    stopped,
    budget: createBudget({ records, config: budget, clock, metrics }),
    receipts: createReceipts(records, { maxBytes: receipts.max_size }),
    price: (model, usage) => priceOf(model, usage, prices),
  });
}

function warnOfPrice(model: string, config: Config, logger: Logger): void {
  if (priceFor(model, config.report.prices) !== UNKNOWN_PRICE) return;
  const { input, output } = UNKNOWN_PRICE;
  logger.warn(
    'nobody has named a price of the language model: it counts as the dearest, and caps are reached early; set report.prices',
    {
      model,
      inputUsdPerMillion: input,
      outputUsdPerMillion: output,
    },
  );
}

/** Opens what the configuration asks for; all of it is closed with the scope. */
export function openReporting(options: ReportingOptions, scope: AsyncDisposableStack): Reporting {
  const { config, store, clock, logger, metrics, directory, now } = options;
  const redactor = createRedactor(config.redaction);
  const archives = openArchives({ config: config.report, directory, redactor, clock });
  const archive = createArchiveWriter({ archives, clock, logger, metrics });
  const delivery = openDelivery(options, redactor);
  // Both may have to wait for somebody who does not answer: at the same time.
  scope.defer(async () => {
    await Promise.all([delivery?.[Symbol.asyncDispose](), archive[Symbol.asyncDispose]()]);
  });
  scope.use(openArchiveRetention({ archives, keepMs: config.report.archive.retention, now, clock, logger }));
  // A function lives for one invocation: what it misses is caught up by nobody.
  if (directory !== null && archives.length > 0) scope.use(openArchiveCatchUp({ store, archive, clock, logger }));
  const { records } = store;
  scope.use(openSpendingRetention({ records, keepMs: config.report.receipts.retention, clock, logger }));
  const stopping = new AbortController();
  const narrator = openNarrator(options, redactor, stopping.signal);
  if (narrator.status.configured) warnOfPrice(narrator.status.model, config, logger);
  const writer = createReportWriter({ store, config: config.report, clock, maxPackTokens: narrator.maxPackTokens });
  return {
    redactor,
    writer,
    archive,
    delivery,
    startNarration(amend, { delayMs } = { delayMs: config.report.llm.delay }) {
      if (!narrator.status.configured) {
        const { provider, model, base_url: baseUrl } = config.report.llm;
        const isMeant = provider === undefined ? (model ?? baseUrl) !== undefined : provider !== 'none';
        // Who has configured a model would wait for narratives in vain.
        if (isMeant) logger.warn('no language model is asked', { reason: narrator.status.reason });
        return null;
      }
      const deadlineMs = config.report.llm.deadline + GRACE_MS;
      return scope.use(
        new Narration({ narrator, store, writer, clock, logger, delayMs, deadlineMs, amend, stop: () => stopping.abort() }),
      );
    },
  };
}
