import { consoleMetrics } from '../console/metrics.ts';
import { DETECT_METRICS } from '../detect/metrics.ts';
import { INGEST_METRICS } from '../ingest/metrics.ts';
import type { MetricDefinition } from '../lib/metrics.ts';
import { METRICS as LOG_METRICS } from '../log/metrics.ts';
import { REPORT_METRICS } from '../report/metrics.ts';
import { DELIVERY_METRICS } from '../report/notify/delivery-metrics.ts';
import { METRIC_STORE, PARTITION_STORE, STORE_METRICS } from '../store/metrics.ts';
import { DATABASE_METRICS } from '../store/timescale/database-metrics.ts';

export const PIPELINE_EVENTS: MetricDefinition = {
  name: 'helios_pipeline_events_total',
  type: 'counter',
  help: 'Events read from the log into rollups and windows',
};
export const PIPELINE_LAG: MetricDefinition = {
  name: 'helios_pipeline_lag_records',
  type: 'gauge',
  help: 'Committed records that the pipeline has not read yet',
};
export const METRIC_PIPELINE_POINTS: MetricDefinition = {
  name: 'helios_metric_pipeline_points_total',
  type: 'counter',
  help: 'Metric points read from the metrics log into the metric store',
};
export const METRIC_PIPELINE_LAG: MetricDefinition = {
  name: 'helios_metric_pipeline_lag_records',
  type: 'gauge',
  help: 'Committed records of the metrics log that the pipeline has not read yet',
};
export const METRIC_PIPELINE_SKIPPED: MetricDefinition = {
  name: 'helios_metric_pipeline_skipped_lines_total',
  type: 'counter',
  help: 'Lines of the metrics log that could not be read',
};

export const HEARTBEAT_CALLS: MetricDefinition = {
  name: 'helios_heartbeat_calls_total',
  type: 'counter',
  help: 'Calls of heartbeat.url; outcome is ok, failed, or withheld because HELIOS is not ready, behind or deaf',
  labels: ['outcome'],
};
export const HEARTBEAT_LAST: MetricDefinition = {
  name: 'helios_heartbeat_last_success_timestamp_seconds',
  type: 'gauge',
  help: 'When a heartbeat got through last, seconds since the epoch; 0 before the first',
};
export const VITALS_LAG: MetricDefinition = {
  name: 'helios_vitals_lag_seconds',
  type: 'gauge',
  help: 'How long ago the oldest of what is not worked off had come, by stage: events, metrics, alerts, reports; over Kafka of all roles',
  labels: ['stage'],
};
export const VITALS_SILENCE: MetricDefinition = {
  name: 'helios_vitals_silence_seconds',
  type: 'gauge',
  help: 'Since anything at all has come; 0 before the first',
};

const HEARTBEAT_METRICS = [HEARTBEAT_CALLS, HEARTBEAT_LAST, VITALS_LAG, VITALS_SILENCE];

const PIPELINE_METRICS = [PIPELINE_EVENTS, PIPELINE_LAG, METRIC_PIPELINE_POINTS, METRIC_PIPELINE_LAG, METRIC_PIPELINE_SKIPPED];

/** Everything that a process shows on /metrics from its start. */
export const ALL_METRICS: readonly MetricDefinition[] = [
  ...INGEST_METRICS,
  ...LOG_METRICS,
  ...PIPELINE_METRICS,
  ...HEARTBEAT_METRICS,
  ...STORE_METRICS,
  ...Object.values(METRIC_STORE),
  ...Object.values(PARTITION_STORE),
  ...DATABASE_METRICS,
  ...Object.values(DETECT_METRICS),
  ...REPORT_METRICS,
  ...Object.values(DELIVERY_METRICS),
  ...consoleMetrics,
];
