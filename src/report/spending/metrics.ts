import type { MetricDefinition } from '../../lib/metrics.ts';

export const llmCalls: MetricDefinition = {
  name: 'helios_llm_calls_total',
  type: 'counter',
  help: 'Requests to language models that were paid for, retries and repairs counted',
};

export const llmTokens: MetricDefinition = {
  name: 'helios_llm_tokens_total',
  type: 'counter',
  help: 'Tokens of language models; direction is input or output',
  labels: ['direction'],
};

export const llmCost: MetricDefinition = {
  name: 'helios_llm_cost_usd_total',
  type: 'counter',
  help: 'What language models cost, USD by the price table',
};

export const llmRefusals: MetricDefinition = {
  name: 'helios_llm_refusals_total',
  type: 'counter',
  help: 'Requests to language models that were not made because a cap is reached; cap is incident, day or month',
  labels: ['cap'],
};

export const SPENDING_METRICS: readonly MetricDefinition[] = [llmCalls, llmTokens, llmCost, llmRefusals];
