import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../config/sources.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import { createLambdaHandler } from '../../report/lambda.ts';
import { createLogger } from '../logger.ts';
import { openLambdaReporter } from './reporter.ts';

const clock = systemClock;
/** Of a function's files only those below the temporary directory can be written. */
const { config, warnings } = loadConfig({ needs: 'database', flags: { data_dir: path.join(tmpdir(), 'helios') } });
const logger = createLogger(config.log_level);
for (const warning of warnings) logger.warn(warning);

/** What AWS Lambda calls (`index.handler`); see docs/lambda.md. */
export const handler = createLambdaHandler({
  config: config.lambda,
  clock,
  logger,
  open: () =>
    openLambdaReporter({
      config,
      clock,
      logger,
      metrics: silentMetrics,
      prng: createPrng(clock.nowMs() ^ (process.pid << 10)),
      owner: `lambda-${randomUUID()}`,
    }),
});
