import type { LanguageModel } from 'ai';
import { z } from 'zod';
import { answerSchema } from './claim.ts';
import type { LlmConfig, LlmProvider, ModelChoice } from './config.ts';
import { recordingFetch } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Prompt } from './prompt.ts';

export type FailureKind =
  | 'timeout'
  | 'rate_limited'
  | 'unavailable'
  | 'rejected'
  | 'unreadable'
  | 'too_large'
  | 'refused'
  | 'empty'
  | 'circuit_open';

/** Why there is no text of a model. */
export interface Failure {
  kind: FailureKind;
  /** For the log: may hold words of the provider. */
  message: string;
  retryAfterMs: number | null;
  /** Whether the provider may have worked, and so charges. */
  isBilled: boolean;
}

export interface Tokens {
  inputTokens: number;
  outputTokens: number;
}

export type ModelAnswer = { exchange: Exchange } & (
  | { ok: true; text: string; tokens: Tokens | null }
  | { ok: false; failure: Failure; tokens: Tokens | null }
);

export type ChosenModel = Extract<ModelChoice, { model: string }>;

/** Asks a model once: no retry, no memory. Resolves also when the provider is at fault. */
export type AskModel = (prompt: Prompt, signal: AbortSignal) => Promise<ModelAnswer>;

type Sdk = typeof import('ai');

/** The library of each provider is loaded when it is asked for the first time. */
const PROVIDERS: Record<LlmProvider, (model: string, settings: ProviderSettings, config: LlmConfig) => Promise<LanguageModel>> = {
  openai: async (model, settings) => (await import('@ai-sdk/openai')).createOpenAI(settings)(model),
  anthropic: async (model, settings) => (await import('@ai-sdk/anthropic')).createAnthropic(settings)(model),
  'amazon-bedrock': async (model, settings, { aws_region: region }) =>
    (await import('@ai-sdk/amazon-bedrock')).createAmazonBedrock({ ...settings, ...(region !== undefined && { region }) })(model),
  'openai-compatible': async (model, settings, { structured_output: supportsStructuredOutputs }) => {
    const named = { name: 'compatible', baseURL: '', supportsStructuredOutputs };
    return (await import('@ai-sdk/openai-compatible')).createOpenAICompatible({ ...named, ...settings })(model);
  },
};

interface ProviderSettings {
  fetch: typeof globalThis.fetch;
  baseURL?: string;
  apiKey?: string;
}

function languageModel(
  { provider, model, apiKey }: ChosenModel,
  config: LlmConfig,
  fetch: typeof globalThis.fetch,
): Promise<LanguageModel> {
  const baseURL = config.base_url;
  const settings = { fetch, ...(baseURL !== undefined && { baseURL }), ...(apiKey !== undefined && { apiKey }) };
  return PROVIDERS[provider](model, settings, config);
}

function countOf(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function tokensOf(usage: { inputTokens?: number | undefined; outputTokens?: number | undefined } | undefined): Tokens | null {
  const [inputTokens, outputTokens] = [countOf(usage?.inputTokens), countOf(usage?.outputTokens)];
  return inputTokens === undefined || outputTokens === undefined || inputTokens === 0 ? null : { inputTokens, outputTokens };
}

function failureKind(exchange: Exchange, signal: AbortSignal): FailureKind {
  const { status } = exchange;
  if (exchange.isTooLarge) return 'too_large';
  if (signal.aborted || status === 408) return 'timeout';
  if (status === 429) return 'rate_limited';
  if (status === null || status >= 500) return 'unavailable';
  return status >= 400 ? 'rejected' : 'unreadable';
}

function failureOf(error: unknown, exchange: Exchange, signal: AbortSignal): Failure {
  const kind = failureKind(exchange, signal);
  // What was cut off may have been worked on; an error status or a failed connection was not.
  const isBilled = kind === 'too_large' || kind === 'unreadable' || (kind === 'timeout' && exchange.sent !== '');
  const message = String((error as Error | undefined)?.message ?? error).slice(0, 300);
  return { kind, message, retryAfterMs: exchange.retryAfterMs, isBilled };
}

function textOrFailure(text: string, finishReason: string): { ok: true; text: string } | { ok: false; failure: Failure } {
  if (text.trim() !== '' && finishReason !== 'content-filter') return { ok: true, text };
  const kind = finishReason === 'content-filter' ? 'refused' : 'empty';
  return { ok: false, failure: { kind, message: `finished: ${finishReason}`, retryAfterMs: null, isBilled: true } };
}

/** The answer's JSON schema goes to the provider; what comes back is text, for claims to be judged one by one. */
function outputOf({ Output, jsonSchema }: Sdk) {
  const schema = jsonSchema(() => z.toJSONSchema(answerSchema, { target: 'draft-7' }) as never);
  return {
    ...Output.object({ schema, name: 'claims' }),
    parseCompleteOutput: ({ text }: { text: string }) => Promise.resolve(text),
  };
}

/** The chosen provider behind the `ai` SDK, which is loaded with the first question. */
export function createModel(choice: ChosenModel, config: LlmConfig, nowMs: () => number): AskModel {
  return async (prompt, signal) => {
    const { exchange, fetch } = recordingFetch(config.max_response, nowMs);
    try {
      const sdk = await import('ai');
      globalThis.AI_SDK_LOG_WARNINGS = false;
      const result = await sdk.generateText({
        model: await languageModel(choice, config, fetch),
        system: prompt.system,
        prompt: prompt.user,
        temperature: config.temperature,
        maxOutputTokens: config.max_output_tokens,
        maxRetries: 0,
        abortSignal: signal,
        output: outputOf(sdk),
        providerOptions: { openai: { store: false } },
      });
      const tokens = tokensOf(result.usage);
      return { exchange, tokens, ...textOrFailure(result.text, result.finishReason) };
    } catch (error) {
      return { exchange, tokens: null, ok: false, failure: failureOf(error, exchange, signal) };
    }
  };
}
