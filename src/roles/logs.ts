import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import { SealWorker } from '../log/embedded/seal-worker.ts';
import type { EventLog } from '../log/event-log.ts';
import { readCommittedOffset } from '../store/embedded/committed-offset.ts';
import { METRIC_DATABASE } from '../store/embedded/database.ts';

/** The pipeline's name among the readers of each log: retention waits for it. */
export const PIPELINE_READER = 'pipeline';

export interface LogsOptions {
  config: Config;
  dir: string;
  logger: Logger;
  metrics: Metrics;
  onDeath: (error: Error) => void;
}

/** The log of events, spans among them, and the one of metric points; both are closed with the scope. */
export async function openLogs(
  options: LogsOptions,
  scope: AsyncDisposableStack,
): Promise<{ log: EventLog; metricsLog: EventLog }> {
  const { config, dir } = options;
  const sealWorker = new SealWorker(config.log.seal_level);
  scope.defer(() => sealWorker.close());
  const log = await openEmbeddedLog({
    ...commonOptions(options, 'event log'),
    sealWorker,
    expectedOffset: readCommittedOffset(dir),
  });
  scope.use(log);
  const metricsLog = await openEmbeddedLog({
    ...commonOptions(options, 'metrics log'),
    name: 'metrics',
    sealWorker,
    expectedOffset: readCommittedOffset(dir, METRIC_DATABASE),
  });
  return { log, metricsLog: scope.use(metricsLog) };
}

function commonOptions({ config, dir, logger, metrics, onDeath }: LogsOptions, what: string) {
  const { idempotency_window: windowMs, idempotency_keys: maxKeys } = config.ingest;
  return {
    dir,
    config: config.log,
    clock: systemClock,
    logger,
    metrics,
    idempotency: { windowMs, maxKeys },
    readers: [PIPELINE_READER],
    onFatal: (error: Error) => {
      const message = `cannot go on: the disk of the ${what} failed: ${error.message}`;
      onDeath(new HeliosError('log_unavailable', message, { cause: error }));
    },
  };
}
