import type { MetricDefinition } from '../../lib/metrics.ts';

export const feedbackGiven: MetricDefinition = {
  name: 'helios_feedback_total',
  type: 'counter',
  help: 'What people said of incidents through this process, repeats not counted',
  labels: ['label'],
};

export const feedbackIncidents: MetricDefinition = {
  name: 'helios_feedback_incidents',
  type: 'gauge',
  help: 'Incidents by what was said of them last and not taken back, and faults that were missed; the same in every console',
  labels: ['label'],
};

export const feedbackQuality: MetricDefinition = {
  name: 'helios_feedback_quality_ratio',
  type: 'gauge',
  help: 'By feedback: precision is real of real, false and expected, recall real of real and missed; absent before anybody said so',
  labels: ['measure'],
};

export const feedbackRules: MetricDefinition = {
  name: 'helios_feedback_rules',
  type: 'gauge',
  help: 'Rules in force under which anomalies call nobody',
};

export const FEEDBACK_METRICS: readonly MetricDefinition[] = [feedbackGiven, feedbackIncidents, feedbackQuality, feedbackRules];
