import type { MetricDefinition } from '../lib/metrics.ts';

const COMMIT_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];

/** What the event log measures about itself. */
export const LOG_METRICS = {
  records: { name: 'helios_log_appended_records_total', type: 'counter', help: 'Records (requests or batches) made durable' },
  events: { name: 'helios_log_appended_events_total', type: 'counter', help: 'Events made durable' },
  bytes: { name: 'helios_log_appended_bytes_total', type: 'counter', help: 'Bytes of events made durable' },
  commits: { name: 'helios_log_commits_total', type: 'counter', help: 'Group commits: one write and one sync each' },
  commitSeconds: {
    name: 'helios_log_commit_seconds',
    type: 'histogram',
    help: 'Time from the start of a group commit until it is durable',
    buckets: COMMIT_SECONDS,
  },
  failedAppends: {
    name: 'helios_log_failed_appends_total',
    type: 'counter',
    help: 'Appends that were refused or could not be made durable',
    labels: ['code'],
  },
  pendingBytes: { name: 'helios_log_pending_bytes', type: 'gauge', help: 'Bytes waiting for a commit' },
  segments: { name: 'helios_log_segments', type: 'gauge', help: 'Segment files', labels: ['form'] },
  storedBytes: { name: 'helios_log_stored_bytes', type: 'gauge', help: 'Bytes of segment files on disk' },
  sealedSegments: { name: 'helios_log_sealed_segments_total', type: 'counter', help: 'Segments converted to columns' },
  sealCpuSeconds: {
    name: 'helios_log_seal_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time spent converting segments',
  },
  retainedBytes: { name: 'helios_log_removed_bytes_total', type: 'counter', help: 'Bytes of segments that retention removed' },
  evictedKeys: {
    name: 'helios_log_idempotency_evictions_total',
    type: 'counter',
    help: 'Idempotency keys forgotten before their window ended',
  },
  damages: { name: 'helios_log_damages', type: 'gauge', help: 'Damaged stretches found in segments and set aside' },
} as const satisfies Record<string, MetricDefinition>;

export const METRICS: readonly MetricDefinition[] = Object.values(LOG_METRICS);
