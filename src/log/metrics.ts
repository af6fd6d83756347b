import type { MetricDefinition, Metrics } from '../lib/metrics.ts';

const COMMIT_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];

/** What a log measures about itself; `log` says which one, `log` or `metrics`. */
export const LOG_METRICS = {
  records: {
    name: 'helios_log_appended_records_total',
    type: 'counter',
    help: 'Records (requests or batches) made durable',
    labels: ['log'],
  },
  events: {
    name: 'helios_log_appended_events_total',
    type: 'counter',
    help: 'Events, or lines of metrics, made durable',
    labels: ['log'],
  },
  bytes: { name: 'helios_log_appended_bytes_total', type: 'counter', help: 'Bytes of them made durable', labels: ['log'] },
  commits: {
    name: 'helios_log_commits_total',
    type: 'counter',
    help: 'Group commits: one write and one sync each',
    labels: ['log'],
  },
  commitSeconds: {
    name: 'helios_log_commit_seconds',
    type: 'histogram',
    help: 'Time from the start of a group commit until it is durable',
    labels: ['log'],
    buckets: COMMIT_SECONDS,
  },
  failedAppends: {
    name: 'helios_log_failed_appends_total',
    type: 'counter',
    help: 'Appends that were refused or could not be made durable',
    labels: ['log', 'code'],
  },
  pendingBytes: { name: 'helios_log_pending_bytes', type: 'gauge', help: 'Bytes waiting for a commit', labels: ['log'] },
  segments: { name: 'helios_log_segments', type: 'gauge', help: 'Segment files', labels: ['log', 'form'] },
  storedBytes: { name: 'helios_log_stored_bytes', type: 'gauge', help: 'Bytes of segment files on disk', labels: ['log'] },
  sealedSegments: {
    name: 'helios_log_sealed_segments_total',
    type: 'counter',
    help: 'Segments converted to columns',
    labels: ['log'],
  },
  sealCpuSeconds: {
    name: 'helios_log_seal_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time spent converting segments',
    labels: ['log'],
  },
  retainedBytes: {
    name: 'helios_log_removed_bytes_total',
    type: 'counter',
    help: 'Bytes of segments that retention removed',
    labels: ['log'],
  },
  evictedKeys: {
    name: 'helios_log_idempotency_evictions_total',
    type: 'counter',
    help: 'Idempotency keys forgotten before their window ended',
    labels: ['log'],
  },
  damages: {
    name: 'helios_log_damages',
    type: 'gauge',
    help: 'Damaged stretches found in segments and set aside',
    labels: ['log'],
  },
} as const satisfies Record<string, MetricDefinition>;

const PRODUCE_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** What is produced to Kafka, by topic. */
export const KAFKA_METRICS = {
  records: {
    name: 'helios_kafka_produced_records_total',
    type: 'counter',
    help: 'Records acknowledged by the broker',
    labels: ['topic'],
  },
  bytes: {
    name: 'helios_kafka_produced_bytes_total',
    type: 'counter',
    help: 'Bytes of them before compression',
    labels: ['topic'],
  },
  batches: {
    name: 'helios_kafka_produced_batches_total',
    type: 'counter',
    help: 'Batches of records of one partition, sent and acknowledged together',
    labels: ['topic'],
  },
  produceSeconds: {
    name: 'helios_kafka_produce_seconds',
    type: 'histogram',
    help: 'Time from sending a batch until the broker has acknowledged it, of the try that succeeded',
    labels: ['topic'],
    buckets: PRODUCE_SECONDS,
  },
  retries: {
    name: 'helios_kafka_produce_retries_total',
    type: 'counter',
    help: 'Tries that failed and were repeated, by the error',
    labels: ['topic', 'reason'],
  },
  pendingBytes: {
    name: 'helios_kafka_pending_bytes',
    type: 'gauge',
    help: 'Bytes waiting for the broker',
    labels: ['topic'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** What is consumed from Kafka. */
export const KAFKA_CONSUMER_METRICS = {
  lag: {
    name: 'helios_kafka_lag_records',
    type: 'gauge',
    help: 'Records that a group has not committed yet, of the partitions that this member holds; 0 for those it has lost',
    labels: ['group', 'topic', 'partition'],
  },
  assigned: {
    name: 'helios_kafka_assigned_partitions',
    type: 'gauge',
    help: 'Partitions that this member holds',
    labels: ['group'],
  },
  rebalances: {
    name: 'helios_kafka_rebalances_total',
    type: 'counter',
    help: 'Times that this member has joined its group or was given other partitions',
    labels: ['group'],
  },
  lostSessions: {
    name: 'helios_kafka_lost_sessions_total',
    type: 'counter',
    help: 'Times that no heartbeat was answered for a whole session, so that all partitions were let go',
    labels: ['group'],
  },
  failedWork: {
    name: 'helios_kafka_failed_work_total',
    type: 'counter',
    help: 'Times that the work on a partition failed and was begun again',
    labels: ['group', 'topic'],
  },
  records: {
    name: 'helios_kafka_consumed_records_total',
    type: 'counter',
    help: 'Records read',
    labels: ['topic'],
  },
  unreadable: {
    name: 'helios_kafka_unreadable_records_total',
    type: 'counter',
    help: 'Records that could not be decoded and went to the dead letters',
    labels: ['topic'],
  },
  lostRecords: {
    name: 'helios_kafka_lost_records_total',
    type: 'counter',
    help: 'Offsets that retention removed before they were read',
    labels: ['topic'],
  },
  fetchErrors: {
    name: 'helios_kafka_fetch_errors_total',
    type: 'counter',
    help: 'Fetches that failed and were repeated, by the error',
    labels: ['reason'],
  },
} as const satisfies Record<string, MetricDefinition>;

export const METRICS: readonly MetricDefinition[] = [
  ...Object.values(LOG_METRICS),
  ...Object.values(KAFKA_METRICS),
  ...Object.values(KAFKA_CONSUMER_METRICS),
];

/** `metrics` with these labels added to every call. */
export function labelled(metrics: Metrics, labels: Record<string, string>): Metrics {
  return {
    add: (definition, value, more) => metrics.add(definition, value, more ? { ...labels, ...more } : labels),
    set: (definition, value, more) => metrics.set(definition, value, more ? { ...labels, ...more } : labels),
    observe: (definition, value, more) => metrics.observe(definition, value, more ? { ...labels, ...more } : labels),
  };
}
