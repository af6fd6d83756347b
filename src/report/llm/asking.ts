import type { CircuitBreakerPolicy } from 'cockatiel';
import { Backoff } from '../../lib/backoff.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Budget, Reservation } from '../spending/budget.ts';
import type { CapReached } from '../spending/caps.ts';
import type { Receipts } from '../spending/receipts.ts';
import { estimateTokens } from '../tokens.ts';
import type { LlmConfig } from './config.ts';
import { modelRequests, modelSeconds } from './metrics.ts';
import type { AskModel, ChosenModel, Failure, FailureKind, ModelAnswer, Tokens } from './model.ts';
import { PROMPT_VERSION } from './prompt.ts';
import type { Prompt } from './prompt.ts';

export interface AskingOptions {
  config: LlmConfig;
  choice: ChosenModel;
  ask: AskModel;
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  budget: Budget;
  receipts: Pick<Receipts, 'put'>;
  /** USD of so many tokens of a model. */
  price: (model: string, tokens: Tokens) => number;
  /** Aborted when the process stops: then nobody is waited for. */
  stopped?: AbortSignal | undefined;
}

/** Why nothing came: the provider, or our own caps. */
export type Refusal = { kind: FailureKind } | { kind: 'capped'; sentence: CapReached['sentence'] };

export interface Spent extends Tokens {
  costUsd: number;
  /** Of the last request sent; null when none was. */
  receiptId: string | null;
}

export interface Question {
  incidentId: string;
  service: string;
  prompt: Prompt;
  /** Monotonic time at which all has to be over, milliseconds. */
  deadlineMs: number;
}

type Asked = ModelAnswer | { ok: false; failure: Failure; exchange: null; tokens: null };

const RETRIED: ReadonlySet<FailureKind> = new Set(['timeout', 'rate_limited', 'unavailable']);
/** Answers that say nothing about whether the provider is well. */
const HARMLESS: ReadonlySet<FailureKind> = new Set(['refused', 'empty']);
const BACKOFF = { firstMs: 500, longestMs: 8000 };

/** Asks with money, time and patience that all end: retries with backoff, one breaker for all incidents, a receipt for every request. */
export class Asking {
  readonly #options: AskingOptions;
  #breaker: Promise<CircuitBreakerPolicy> | undefined;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** Adds what was spent to `spent`, whatever comes of it. Rejects when the budget cannot be asked: then nothing was sent. */
  async ask(question: Question, spent: Spent): Promise<{ text: string } | { refusal: Refusal }> {
    const { config, clock, prng, logger, stopped } = this.#options;
    const backoff = new Backoff(BACKOFF, prng);
    for (let retries = 0; ; retries++) {
      const reserved = await this.#reserve(question);
      if (!reserved.ok) return { refusal: { kind: 'capped', sentence: reserved.sentence } };
      const asked = await this.#once(question, reserved.reservation, reserved.usd, spent);
      if (asked.ok) return { text: asked.text };
      const { kind, retryAfterMs, message } = asked.failure;
      logger.warn('the language model gave no answer', { incidentId: question.incidentId, kind, retries, error: message });
      const waitMs = Math.max(retryAfterMs ?? 0, backoff.nextMs());
      const leftMs = question.deadlineMs - clock.monotonicMs();
      if (stopped?.aborted || !RETRIED.has(kind) || retries >= config.retries || waitMs >= leftMs) return { refusal: { kind } };
      await clock.sleep(waitMs, stopped).catch(() => undefined);
    }
  }

  async #reserve({ incidentId, service, prompt }: Question) {
    const { config, budget, choice, price } = this.#options;
    const inputTokens = estimateTokens(prompt.system) + estimateTokens(prompt.user);
    const usd = price(choice.model, { inputTokens, outputTokens: config.max_output_tokens });
    return { usd, ...(await budget.reserve({ incidentId, service, usd })) };
  }

  async #once(question: Question, reservation: Reservation, reservedUsd: number, spent: Spent): Promise<Asked> {
    const { clock, metrics, choice } = this.#options;
    const startMs = clock.monotonicMs();
    const asked = await this.#throughBreaker(question);
    const outcome = asked.ok ? 'answered' : asked.failure.kind;
    metrics.add(modelRequests, 1, { provider: choice.provider, outcome });
    if (asked.exchange === null || asked.exchange.sent === '') {
      await reservation.release();
      return asked;
    }
    metrics.observe(modelSeconds, (clock.monotonicMs() - startMs) / 1000, { provider: choice.provider });
    const bill = this.#bill(question, asked, reservedUsd);
    await (bill.costUsd > 0 || bill.inputTokens > 0
      ? reservation.settle({
          usd: bill.costUsd,
          inputTokens: bill.inputTokens,
          outputTokens: bill.outputTokens,
          model: choice.model,
        })
      : reservation.release());
    spent.inputTokens += bill.inputTokens;
    spent.outputTokens += bill.outputTokens;
    spent.costUsd += bill.costUsd;
    spent.receiptId = await this.#receipt(question, asked.exchange, bill, outcome);
    return asked;
  }

  /** What the provider charges: by its own count, else by the worst that was reserved, nothing where it did no work. */
  #bill({ prompt }: Question, asked: Exclude<Asked, { exchange: null }>, reservedUsd: number): Tokens & { costUsd: number } {
    const { price, choice, config } = this.#options;
    if (asked.tokens) {
      // A token is a byte at least; what a model thinks unseen is within the output limit. More than that nobody has used.
      const inputTokens = Math.min(asked.tokens.inputTokens, Buffer.byteLength(asked.exchange.sent));
      const outputTokens = Math.min(asked.tokens.outputTokens, Math.max(config.max_output_tokens, asked.exchange.receivedBytes));
      return { inputTokens, outputTokens, costUsd: price(choice.model, { inputTokens, outputTokens }) };
    }
    if (!asked.ok && !asked.failure.isBilled) return { inputTokens: 0, outputTokens: 0, costUsd: 0 };
    const inputTokens = estimateTokens(prompt.system) + estimateTokens(prompt.user);
    return { inputTokens, outputTokens: config.max_output_tokens, costUsd: reservedUsd };
  }

  async #receipt(
    { incidentId }: Question,
    exchange: NonNullable<Asked['exchange']>,
    bill: Tokens & { costUsd: number },
    outcome: string,
  ): Promise<string | null> {
    const { clock, prng, logger, receipts, choice } = this.#options;
    const at = isoTime(clock.nowMs());
    const id = `${at}-${prng
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0')}`;
    try {
      await receipts.put({
        id,
        incidentId,
        at,
        provider: choice.provider,
        model: choice.model,
        promptVersion: PROMPT_VERSION,
        sentBytes: exchange.sent,
        receivedBytes: exchange.receivedBytes,
        ...bill,
        outcome,
      });
      return id;
    } catch (error) {
      logger.error('receipt of a language model not stored', { incidentId, error: String(error) });
      return null;
    }
  }

  async #throughBreaker({ prompt, deadlineMs }: Question): Promise<Asked> {
    const { ask, clock, config, stopped } = this.#options;
    const { BrokenCircuitError } = await import('cockatiel');
    const breaker = await (this.#breaker ??= this.#openBreaker());
    const abort = new AbortController();
    const waitMs = Math.max(0, Math.min(config.timeout, deadlineMs - clock.monotonicMs()));
    const stop = clock.after(waitMs, () => abort.abort(new Error(`no answer within ${Math.round(waitMs)} ms`)));
    const signal = stopped ? AbortSignal.any([abort.signal, stopped]) : abort.signal;
    try {
      return await breaker.execute(() => ask(prompt, signal));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      const failure: Failure = {
        kind: 'circuit_open',
        message: 'too many failures in a row',
        retryAfterMs: null,
        isBilled: false,
      };
      return { ok: false, failure, exchange: null, tokens: null };
    } finally {
      stop();
    }
  }

  async #openBreaker(): Promise<CircuitBreakerPolicy> {
    const { circuitBreaker, ConsecutiveBreaker, handleWhenResult } = await import('cockatiel');
    const { breaker_failures: failures, breaker_pause: halfOpenAfter } = this.#options.config;
    const isFault = (answer: unknown): boolean => {
      const asked = answer as Asked;
      return !asked.ok && !HARMLESS.has(asked.failure.kind);
    };
    return circuitBreaker(handleWhenResult(isFault), { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) });
  }
}
