import { z } from 'zod';
import { duration } from '../lib/config-types.ts';
import { FEATURES, SUB_WINDOW_MS } from '../model/rollup.ts';

const MAX_WINDOW_MS = 3_600_000;

export const detectConfigSchema = z.strictObject({
  model: z.literal('isolation_forest').default('isolation_forest').meta({ description: 'The multivariate model' }),
  contamination: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.05)
    .meta({ description: 'Expected share of abnormal windows in the training history; sets the forest offset' }),
  threshold: z
    .union([z.literal('auto'), z.number().min(-1).max(0)])
    .default('auto')
    .meta({ description: 'Forest score (score_samples, -1..0) below which its voter says abnormal; auto calibrates per series' }),
  window_size: duration('5m')
    .refine(
      (ms) => ms >= SUB_WINDOW_MS && ms <= MAX_WINDOW_MS && ms % SUB_WINDOW_MS === 0,
      'must be a multiple of 10s, at most 1h',
    )
    .meta({ unit: 'duration', description: 'The longest window, a multiple of 10s, at most 1h' }),
  features: z
    .array(z.enum(FEATURES))
    .min(1)
    .default(['event_count', 'error_rate', 'avg_latency', 'p95_latency', 'p99_latency', 'latency_stddev', 'unique_endpoints'])
    .meta({ description: 'Window features given to the forest' }),
  allowed_lateness: duration('2s').meta({ description: 'How long a 10 s sub-window stays open for late events, in event time' }),
  incident_gap: duration('5m').meta({
    description: 'Related anomalies of several services that start this close together become one incident',
  }),
  max_entities: z
    .int()
    .positive()
    .default(10_000)
    .meta({ description: 'Services watched at once; further ones are counted together' }),
  false_alarm_budget: z
    .number()
    .positive()
    .max(100)
    .default(0.05)
    .meta({ description: 'False alarms that are acceptable per service and day' }),
  metric_series: z
    .int()
    .nonnegative()
    .default(10_000)
    .meta({ description: 'Received metric series watched at once, label sets of one name counted together; 0 watches none' }),
  entity_idle: duration('24h').meta({ description: 'A service without events for this long is forgotten' }),
});
export type DetectConfig = z.output<typeof detectConfigSchema>;
