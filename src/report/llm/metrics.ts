import type { MetricDefinition } from '../../lib/metrics.ts';

export const narratives: MetricDefinition = {
  name: 'helios_narrative_total',
  type: 'counter',
  help: 'Narratives asked for, by what came of it: written, or why the facts stand alone',
  labels: ['outcome'],
};

export const narrativeSeconds: MetricDefinition = {
  name: 'helios_narrative_seconds',
  type: 'histogram',
  help: 'Time from the facts to the checked narrative, retries and repair included',
  buckets: [0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120],
};

export const narrativeClaims: MetricDefinition = {
  name: 'helios_narrative_claims_total',
  type: 'counter',
  help: 'Claims of language models: kept, or the reason for which code dropped them',
  labels: ['result'],
};

export const modelRequests: MetricDefinition = {
  name: 'helios_llm_requests_total',
  type: 'counter',
  help: 'Requests to language models, retries included, by provider and outcome',
  labels: ['provider', 'outcome'],
};

export const modelSeconds: MetricDefinition = {
  name: 'helios_llm_request_seconds',
  type: 'histogram',
  help: 'Time of one request to a language model',
  labels: ['provider'],
  buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
};

export const LLM_METRICS: readonly MetricDefinition[] = [
  narratives,
  narrativeSeconds,
  narrativeClaims,
  modelRequests,
  modelSeconds,
];
