import type { MetricDefinition } from '../lib/metrics.ts';
import { FEEDBACK_METRICS } from './feedback/metrics.ts';
import { ARCHIVE_METRICS } from './archive/metrics.ts';
import { LLM_METRICS } from './llm/metrics.ts';
import { SPENDING_METRICS } from './spending/metrics.ts';

export const reportsBuilt: MetricDefinition = {
  name: 'helios_report_built_total',
  type: 'counter',
  help: 'Reports built and stored, every version of an incident counted',
  labels: ['verdict'],
};

export const reportSeconds: MetricDefinition = {
  name: 'helios_report_seconds',
  type: 'histogram',
  help: 'Time to collect the evidence of a report, render it and store it',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};

export const reportFailures: MetricDefinition = {
  name: 'helios_report_failures_total',
  type: 'counter',
  help: 'Attempts that failed and are retried; step is build (evidence, rendering, storing) or archive (files)',
  labels: ['step'],
};

export const REPORT_METRICS: readonly MetricDefinition[] = [
  reportsBuilt,
  reportSeconds,
  reportFailures,
  ...ARCHIVE_METRICS,
  ...FEEDBACK_METRICS,
  ...SPENDING_METRICS,
  ...LLM_METRICS,
];
