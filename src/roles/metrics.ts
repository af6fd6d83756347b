import { consoleMetrics } from '../console/metrics.ts';
import { DETECT_METRICS } from '../detect/metrics.ts';
import { INGEST_METRICS } from '../ingest/metrics.ts';
import type { MetricDefinition } from '../lib/metrics.ts';
import { METRICS as LOG_METRICS } from '../log/metrics.ts';
import { REPORT_METRICS } from '../report/metrics.ts';
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

const PIPELINE_METRICS = [PIPELINE_EVENTS, PIPELINE_LAG, METRIC_PIPELINE_POINTS, METRIC_PIPELINE_LAG, METRIC_PIPELINE_SKIPPED];

/** Everything that a process shows on /metrics from its start. */
export const ALL_METRICS: readonly MetricDefinition[] = [
  ...INGEST_METRICS,
  ...LOG_METRICS,
  ...PIPELINE_METRICS,
  ...STORE_METRICS,
  ...Object.values(METRIC_STORE),
  ...Object.values(PARTITION_STORE),
  ...DATABASE_METRICS,
  ...Object.values(DETECT_METRICS),
  ...REPORT_METRICS,
  ...consoleMetrics,
];
