import { z } from 'zod';
import { consoleConfigSchema } from '../console/config.ts';
import { mcpConfigSchema } from '../console/mcp/config.ts';
import { detectConfigSchema } from '../detect/config.ts';
import { apiKeySchema, ingestConfigSchema } from '../ingest/config.ts';
import { redactionConfigSchema } from '../lib/redaction/config.ts';
import { logConfigSchema } from '../log/config.ts';
import { kafkaConfigSchema } from '../log/kafka/config.ts';
import { reportConfigSchema } from '../report/config.ts';
import { notifyConfigSchema } from '../report/notify/config.ts';
import { lambdaConfigSchema } from '../report/lambda/config.ts';
import { heartbeatConfigSchema } from './heartbeat.ts';
import { processConfigShape } from './process.ts';
import { storeConfigSchema } from '../store/config.ts';
import { databaseConfigSchema } from '../store/timescale/config.ts';

/** Everything that helios.yaml may say: the sum of each room's part. */
export const configSchema = z.strictObject({
  ...processConfigShape,
  keys: z.array(apiKeySchema).default([]).meta({ description: 'API keys; without any, HELIOS listens on loopback only' }),
  ingest: ingestConfigSchema.prefault({}),
  log: logConfigSchema.prefault({}),
  store: storeConfigSchema.prefault({}),
  kafka: kafkaConfigSchema.prefault({}),
  database: databaseConfigSchema.prefault({}),
  anomaly_detection: detectConfigSchema.prefault({}),
  redaction: redactionConfigSchema.prefault({}),
  report: reportConfigSchema.prefault({}),
  notify: notifyConfigSchema.prefault({}),
  lambda: lambdaConfigSchema.prefault({}),
  console: consoleConfigSchema.prefault({}),
  mcp: mcpConfigSchema.prefault({}),
  heartbeat: heartbeatConfigSchema.prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
