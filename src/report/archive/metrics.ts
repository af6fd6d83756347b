import type { MetricDefinition } from '../../lib/metrics.ts';

export const archivedReports: MetricDefinition = {
  name: 'helios_report_archived_total',
  type: 'counter',
  help: 'Versions of reports written to an archive, which is folder or s3',
  labels: ['archive'],
};

export const archiveFailures: MetricDefinition = {
  name: 'helios_report_archive_failures_total',
  type: 'counter',
  help: 'Attempts to write to an archive that failed; outcome is retried, or lost when no further one is made',
  labels: ['archive', 'outcome'],
};

export const archiveWaiting: MetricDefinition = {
  name: 'helios_report_archive_waiting',
  type: 'gauge',
  help: 'Reports that wait to be written to an archive, for the first time or again',
  labels: ['archive'],
};

export const ARCHIVE_METRICS: readonly MetricDefinition[] = [archivedReports, archiveFailures, archiveWaiting];
