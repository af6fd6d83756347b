import { z } from 'zod';
import { finiteDuration, size } from '../../lib/config-types.ts';

export const LLM_PROVIDERS = ['openai', 'anthropic', 'amazon-bedrock', 'openai-compatible'] as const;
export type LlmProvider = (typeof LLM_PROVIDERS)[number];

export const llmConfigSchema = z.strictObject({
  provider: z
    .enum([...LLM_PROVIDERS, 'none'])
    .optional()
    .meta({
      description:
        'Who writes the narrative; absent: openai-compatible with base_url, else the one whose key is set, else nobody; none turns it off',
    }),
  model: z.string().min(1).optional().meta({ description: 'Name of the model; openai and anthropic have a default' }),
  base_url: z
    .string()
    .regex(/^https?:\/\//, 'must begin with http:// or https://')
    .refine((url) => URL.canParse(url), 'must be a URL with a host, such as http://localhost:11434/v1')
    .optional()
    .meta({ description: 'Where the API is, with its version: http://localhost:11434/v1 for Ollama' }),
  openai_api_key: z.string().optional().meta({ description: 'Key of openai and openai-compatible', secret: true }),
  anthropic_api_key: z.string().optional().meta({ description: 'Key of anthropic', secret: true }),
  bedrock_api_key: z.string().optional().meta({
    description: 'Key of amazon-bedrock; absent: AWS_ACCESS_KEY_ID and its companions in the environment',
    secret: true,
  }),
  aws_region: z.string().optional().meta({ description: 'Region of amazon-bedrock' }),
  structured_output: z
    .boolean()
    .default(true)
    .meta({ description: 'openai-compatible takes a JSON schema for its answer; false only asks for JSON' }),
  temperature: z.number().min(0).max(2).default(0.3).meta({ description: 'Of sampling; models that know none ignore it' }),
  max_output_tokens: z.int().min(256).max(32_000).default(2000).meta({ description: 'Longest answer' }),
  max_input_tokens: z.int().min(1000).max(200_000).default(8000).meta({ description: 'Evidence sent, by estimate' }),
  timeout: finiteDuration('30s', 1).meta({ description: 'One request to the provider' }),
  deadline: finiteDuration('90s', 1).meta({ description: 'All of a narrative: retries and the repair included' }),
  retries: z.int().min(0).max(5).default(2).meta({ description: 'Of a request that failed for 429, 5xx, timeout or connection' }),
  max_response: size('1MiB').meta({ description: 'Longest response read, decompressed' }),
  delay: finiteDuration('15s').meta({
    description: 'After the first report of an incident: so long evidence gathers before the model is asked',
  }),
  breaker_failures: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .meta({ description: 'Failures in a row after which nobody asks for a while' }),
  breaker_pause: finiteDuration('1m', 1).meta({ description: 'That while' }),
});
export type LlmConfig = z.output<typeof llmConfigSchema>;

/** Who is asked; `reason` is a sentence for people who wonder why nobody is. */
export type ModelChoice =
  | { provider: LlmProvider; model: string; apiKey: string | undefined }
  | { provider: null; reason: string };

const DEFAULT_MODELS: Partial<Record<LlmProvider, string>> = { openai: 'gpt-4.1-mini', anthropic: 'claude-haiku-4-5' };

function chosenProvider(config: LlmConfig): LlmProvider | 'none' | undefined {
  if (config.provider !== undefined) return config.provider;
  if (config.base_url !== undefined) return 'openai-compatible';
  if (config.openai_api_key) return 'openai';
  return config.anthropic_api_key ? 'anthropic' : undefined;
}

/** Which provider and model the configuration names, or why none. */
export function chooseModel(config: LlmConfig): ModelChoice {
  const provider = chosenProvider(config);
  if (provider === undefined) return { provider: null, reason: 'no provider and no API key is configured' };
  if (provider === 'none') return { provider: null, reason: 'report.llm.provider is none' };
  const model = config.model ?? DEFAULT_MODELS[provider];
  if (model === undefined) return { provider: null, reason: `${provider} needs report.llm.model` };
  if (provider === 'openai-compatible' && config.base_url === undefined) {
    return { provider: null, reason: 'openai-compatible needs report.llm.base_url' };
  }
  if (provider === 'amazon-bedrock' && config.aws_region === undefined) {
    return { provider: null, reason: 'amazon-bedrock needs report.llm.aws_region' };
  }
  const keys = { openai: config.openai_api_key, anthropic: config.anthropic_api_key };
  if ((provider === 'openai' || provider === 'anthropic') && !keys[provider]) {
    return { provider: null, reason: `${provider} needs report.llm.${provider}_api_key` };
  }
  const apiKey = provider === 'amazon-bedrock' ? config.bedrock_api_key : provider === 'anthropic' ? keys.anthropic : keys.openai;
  return { provider, model, apiKey };
}
