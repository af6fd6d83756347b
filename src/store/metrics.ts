import type { MetricDefinition } from '../lib/metrics.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export const COMMIT_SECONDS = {
  name: 'helios_store_commit_seconds',
  type: 'histogram',
  help: 'Time of one commit of rollups, documents and log offset, its sync included',
  buckets: SECONDS,
} as const satisfies MetricDefinition;

export const COMMIT_FAILURES = {
  name: 'helios_store_commit_failures_total',
  type: 'counter',
  help: 'Commits that failed and were rolled back, by error code',
  labels: ['code'],
} as const satisfies MetricDefinition;

export const COMMITTED_EVENTS = {
  name: 'helios_store_committed_events_total',
  type: 'counter',
  help: 'Events whose rollups were committed',
} as const satisfies MetricDefinition;

export const ROLLUP_ROWS_WRITTEN = {
  name: 'helios_store_rollup_rows_written_total',
  type: 'counter',
  help: 'Minute rows written by commits',
} as const satisfies MetricDefinition;

export const COMMITTED_OFFSET = {
  name: 'helios_store_committed_offset',
  type: 'gauge',
  help: 'Next log offset after the last committed one',
} as const satisfies MetricDefinition;

export const DATABASE_BYTES = {
  name: 'helios_store_database_bytes',
  type: 'gauge',
  help: 'Size of the database without its write-ahead log',
} as const satisfies MetricDefinition;

/** Everything that the store measures about itself. */
export const STORE_METRICS: readonly MetricDefinition[] = [
  COMMIT_SECONDS,
  COMMIT_FAILURES,
  COMMITTED_EVENTS,
  ROLLUP_ROWS_WRITTEN,
  COMMITTED_OFFSET,
  DATABASE_BYTES,
];

/** What the store of received metrics measures about itself. */
export const METRIC_STORE = {
  commitSeconds: {
    name: 'helios_metric_store_commit_seconds',
    type: 'histogram',
    help: 'Time of one commit of received metric points, its sync included',
    buckets: SECONDS,
  },
  commitFailures: {
    name: 'helios_metric_store_commit_failures_total',
    type: 'counter',
    help: 'Commits of metric points that failed and were rolled back, by error code',
    labels: ['code'],
  },
  points: {
    name: 'helios_metric_store_points_total',
    type: 'counter',
    help: 'Received metric points committed',
  },
  droppedPoints: {
    name: 'helios_metric_store_dropped_points_total',
    type: 'counter',
    help: 'Received metric points dropped because there were store.max_series series',
  },
  series: {
    name: 'helios_metric_store_series',
    type: 'gauge',
    help: 'Metric series known',
  },
  offset: {
    name: 'helios_metric_store_committed_offset',
    type: 'gauge',
    help: 'Next offset of the metrics log after the last committed one',
  },
  databaseBytes: {
    name: 'helios_metric_store_database_bytes',
    type: 'gauge',
    help: 'Size of the database of received metrics without its write-ahead log',
  },
} as const satisfies Record<string, MetricDefinition>;

/** What writing partitions into a database server measures. */
export const PARTITION_STORE = {
  rows: {
    name: 'helios_store_copied_rows_total',
    type: 'counter',
    help: 'Events stored as rows',
  },
  poisonRows: {
    name: 'helios_store_poison_rows_total',
    type: 'counter',
    help: 'Events that the database refused; each is a dead letter',
  },
  fencedCommits: {
    name: 'helios_store_fenced_commits_total',
    type: 'counter',
    help: 'Commits that were refused because another process had taken the partition over',
  },
  repeatedParts: {
    name: 'helios_store_repeated_parts_total',
    type: 'counter',
    help: 'Retried requests whose events were stored already and were left out',
  },
} as const satisfies Record<string, MetricDefinition>;
