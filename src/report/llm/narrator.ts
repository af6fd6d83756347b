import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Prng } from '../../lib/prng.ts';
import type { NarrativeClaim, Report } from '../../model/report.ts';
import { Asking } from './asking.ts';
import type { AskingOptions, Spent } from './asking.ts';
import { checkClaims, checkContext } from './check.ts';
import type { Dropped } from './check.ts';
import { parseAnswer } from './claim.ts';
import { atHome, clear } from './clearing.ts';
import type { Cleared, Packed, PackRedactor } from './clearing.ts';
import { chooseModel } from './config.ts';
import type { LlmConfig } from './config.ts';
import { narrativeClaims, narratives, narrativeSeconds } from './metrics.ts';
import { createModel } from './model.ts';
import type { AskModel, ChosenModel } from './model.ts';
import { writeNarrative } from './narrative-report.ts';
import { NOTES, noteOf } from './notes.ts';
import type { Outcome } from './notes.ts';
import { PROMPT_VERSION, promptOf, repairPromptOf } from './prompt.ts';

export interface NarratorOptions {
  config: LlmConfig;
  clock: Clock;
  prng: Prng;
  logger: Logger;
  metrics: Metrics;
  redactor: PackRedactor;
  budget: AskingOptions['budget'];
  receipts: AskingOptions['receipts'];
  price: AskingOptions['price'];
  stopped?: AskingOptions['stopped'];
  /** Instead of the configured provider. */
  ask?: AskModel;
}

export interface NarrationUsage {
  inputTokens: number;
  outputTokens: number;
  /** Of all requests of this narration, failed ones included. */
  costUsd: number;
  model: string;
  promptVersion: string;
  /** Of the last request. */
  receiptId: string | null;
}

export interface Narration {
  /** The narrative version of the report, `costUsd` included, with the version and time of the facts: the caller sets new ones. */
  report: Report | null;
  /** One plain sentence for the report when there is no narrative and a reader should know why. */
  note: string | null;
  /** Null when nothing was sent. */
  usage: NarrationUsage | null;
  /** Claims that code dropped, by reason. */
  dropped: Dropped;
}

export interface Narrator {
  /** Whether there is a model to ask; `reason` says why not. */
  readonly status: { configured: true; provider: string; model: string } | { configured: false; reason: string };
  /** What `buildPack` is to keep to. */
  readonly maxPackTokens: number;
  /**
   * Resolves within the configured deadline whatever the provider does, with a narrative or a note; never rejects for a provider's fault. A
   * report that has a narrative already is left alone.
   */
  narrate(given: Packed): Promise<Narration>;
}

interface Judged {
  kept: NarrativeClaim[];
  /** Undefined when there was no answer in it. */
  dropped: Dropped | undefined;
}

function addTo(total: Dropped, dropped: Dropped): void {
  for (const [reason, count] of Object.entries(dropped) as [keyof Dropped, number][])
    total[reason] = (total[reason] ?? 0) + count;
}

const SILENT: Narration = { report: null, note: null, usage: null, dropped: {} };

interface Attempt {
  outcome: Outcome;
  note: string | null;
  kept: NarrativeClaim[];
}

function judge(text: string, { report, pack }: Packed, names: Cleared['names']): Judged {
  const answer = parseAnswer(text);
  if (!answer) return { kept: [], dropped: undefined };
  const claims = answer.claims.map((claim) => atHome(claim, names));
  const { kept, dropped } = checkClaims(checkContext(report, pack), claims);
  if (answer.malformed > 0) dropped.malformed = answer.malformed;
  return { kept, dropped };
}

class ModelNarrator implements Narrator {
  readonly status: Narrator['status'];
  readonly maxPackTokens: number;
  readonly #options: NarratorOptions;
  readonly #model: string;
  readonly #asking: Asking;

  constructor(options: NarratorOptions, choice: ChosenModel) {
    const { config, clock } = options;
    this.#options = options;
    this.#model = choice.model;
    this.maxPackTokens = config.max_input_tokens;
    this.status = { configured: true, provider: choice.provider, model: choice.model };
    const ask = options.ask ?? createModel(choice, config, () => clock.nowMs());
    this.#asking = new Asking({ ...options, choice, ask });
  }

  async narrate(given: Packed): Promise<Narration> {
    const { clock, logger } = this.#options;
    // It was told already, by a process that died before it could say so.
    if (given.report.narrative) return SILENT;
    const spent: Spent = { inputTokens: 0, outputTokens: 0, costUsd: 0, receiptId: null };
    const dropped: Dropped = {};
    const startMs = clock.monotonicMs();
    let attempt: Attempt;
    try {
      attempt = await this.#attempt(given, spent, dropped);
    } catch (error) {
      logger.error('narrative failed', { incidentId: given.report.incidentId, error: String(error) });
      attempt = { outcome: 'error', note: NOTES.error, kept: [] };
    }
    this.#count(attempt, dropped, (clock.monotonicMs() - startMs) / 1000);
    return this.#narration(given, attempt, spent, dropped);
  }

  async #attempt(given: Packed, spent: Spent, dropped: Dropped): Promise<Attempt> {
    const { clock, config, logger, redactor } = this.#options;
    const { incidentId } = given.report;
    const deadlineMs = clock.monotonicMs() + config.deadline;
    let cleared: Cleared;
    try {
      cleared = clear(redactor, given);
    } catch (error) {
      logger.error('evidence not redacted, nothing sent', { incidentId, error: String(error) });
      return { outcome: 'not_redacted', note: NOTES.not_redacted, kept: [] };
    }
    const first = promptOf(cleared.pack);
    let judged: Judged = { kept: [], dropped: undefined };
    for (const promptNow of [() => first, () => repairPromptOf(first, judged.dropped)]) {
      const asked = await this.#asking.ask({ incidentId, service: given.facts.lead, deadlineMs, prompt: promptNow() }, spent);
      if ('refusal' in asked) return { outcome: asked.refusal.kind, note: noteOf(asked.refusal), kept: [] };
      judged = judge(asked.text, given, cleared.names);
      if (judged.dropped) addTo(dropped, judged.dropped);
      if (judged.kept.length > 0) return { outcome: 'written', note: null, kept: judged.kept };
      // An empty list is an answer: there is nothing to say, and nothing to repair.
      if (judged.dropped && Object.keys(judged.dropped).length === 0) break;
    }
    const outcome = judged.dropped ? 'all_dropped' : 'unparsable';
    return { outcome, note: NOTES[outcome], kept: [] };
  }

  #count({ outcome, kept }: Attempt, dropped: Dropped, seconds: number): void {
    const { metrics } = this.#options;
    metrics.add(narratives, 1, { outcome });
    metrics.observe(narrativeSeconds, seconds);
    if (kept.length > 0) metrics.add(narrativeClaims, kept.length, { result: 'kept' });
    for (const [reason, count] of Object.entries(dropped)) metrics.add(narrativeClaims, count, { result: reason });
  }

  #narration({ report, pack }: Packed, { kept, note }: Attempt, spent: Spent, dropped: Dropped): Narration {
    const by = { model: this.#model, promptVersion: PROMPT_VERSION };
    const usage = spent.receiptId === null && spent.inputTokens === 0 ? null : { ...spent, ...by };
    if (kept.length === 0) return { report: null, note, usage, dropped };
    const written = writeNarrative(report, pack, { ...by, claims: kept });
    return { report: { ...written, costUsd: report.costUsd + spent.costUsd }, note, usage, dropped };
  }
}

/** A narrator for the configured model. The provider's library is loaded with the first narrative. */
export function createNarrator(options: NarratorOptions): Narrator {
  const choice = chooseModel(options.config);
  if (choice.provider !== null) return new ModelNarrator(options, choice);
  return {
    status: { configured: false, reason: choice.reason },
    maxPackTokens: options.config.max_input_tokens,
    narrate: () => Promise.resolve(SILENT),
  };
}
