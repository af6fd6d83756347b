import type { MetricDefinition } from '../lib/metrics.ts';

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
export const PIPELINE_WATERMARK: MetricDefinition = {
  name: 'helios_pipeline_watermark_seconds',
  type: 'gauge',
  help: 'Event time below which every sub-window is closed, seconds since the epoch',
};

export const ROLES_METRICS = [PIPELINE_EVENTS, PIPELINE_LAG, PIPELINE_WATERMARK];
