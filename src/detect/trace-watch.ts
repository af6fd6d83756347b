import type { EventBatch } from '../model/event-batch.ts';
import { ageProfile, forgetService } from './ranking/trace-ageing.ts';
import { rankTraceCauses, type TraceCause } from './ranking/trace-causes.ts';
import { TraceProfile } from './ranking/trace-profile.ts';
import { type TraceProfileState } from './ranking/trace-profile-state.ts';
import { TRACE_STEP_MS, TraceStatistics, type TraceStatisticsState } from './ranking/trace-statistics.ts';
import type { TraceStep } from './ranking/trace-step.ts';
import { blocksOf, sumSteps } from './ranking/trace-window.ts';

/** Plain data. */
export interface TraceWatchState {
  statistics: TraceStatisticsState;
  profile: TraceProfileState;
  /** What ended before is learned, or left out for good. */
  learnedUntilMs: number;
  isFrozen: boolean;
  blocks: number;
  /** By service: blocks in a row that were too strange to learn from. */
  strangeBlocks: Map<number, number>;
}

const BLOCK_MS = 60_000;
/** What is newer is not learned yet: an incident that began in it may not be known. */
const HOLD_MS = 300_000;
/** Half of what is known is a quarter of a day old. */
const AGEING_BLOCKS = 360;
/** A service that was strange for so many blocks without an incident is taken to be so now. */
const LASTING_BLOCKS = 60;

/** Spans in; what is normal is learned while nothing is wrong; services ranked as the cause of what happens in a stretch of time. */
export class TraceWatch {
  readonly #statistics = new TraceStatistics();
  #profile = new TraceProfile(this.#statistics.names);
  #learnedUntilMs = -Infinity;
  #isFrozen = false;
  #blocks = 0;
  #strangeBlocks = new Map<number, number>();

  get state(): TraceWatchState {
    return {
      statistics: this.#statistics.state,
      profile: this.#profile.state,
      learnedUntilMs: this.#learnedUntilMs,
      isFrozen: this.#isFrozen,
      blocks: this.#blocks,
      strangeBlocks: this.#strangeBlocks,
    };
  }

  set state({ statistics, profile, learnedUntilMs, isFrozen, blocks, strangeBlocks }: TraceWatchState) {
    this.#statistics.state = statistics;
    this.#profile = new TraceProfile(this.#statistics.names, profile);
    this.#learnedUntilMs = learnedUntilMs;
    this.#isFrozen = isFrozen;
    this.#blocks = blocks;
    this.#strangeBlocks = strangeBlocks;
  }

  /** Spans that end after `latestMs` come from a clock that is ahead. */
  observe(batch: EventBatch, latestMs = Infinity): void {
    this.#statistics.observe(batch, latestMs);
  }

  /**
   * Lets time go on. `troubledSinceMs`: when the first of the incidents that are open began, Infinity when there is none; what came
   * before is normal, and from then on nothing is learned until all are over. Then what is still held of that time is learned but for the services
   * that were strange in it, as always: it shows what is normal for all others.
   */
  advance(nowMs: number, troubledSinceMs: number): void {
    this.#statistics.advance(nowMs);
    if (troubledSinceMs !== Infinity) {
      if (!this.#isFrozen) this.#learn(Math.min(nowMs, troubledSinceMs), 0);
      this.#isFrozen = true;
      return;
    }
    this.#isFrozen = false;
    this.#learn(nowMs - HOLD_MS, BLOCK_MS);
  }

  /** Completes the traces that are not yet complete. */
  flush(): void {
    this.#statistics.flush();
  }

  /** Services by what traces of [fromMs, untilMs) say against them. */
  rank(fromMs: number, untilMs: number): TraceCause[] {
    return rankTraceCauses(this.#profile.state, sumSteps(this.#steps(fromMs, untilMs)), this.#statistics.names);
  }

  hasCalls(fromMs: number, untilMs: number): boolean {
    return this.#steps(fromMs, untilMs).some(({ calls }) => calls.size > 0);
  }

  #steps(fromMs: number, untilMs: number): TraceStep[] {
    const first = Math.floor(fromMs / TRACE_STEP_MS) * TRACE_STEP_MS;
    return this.#statistics.steps(first, Math.ceil(untilMs / TRACE_STEP_MS) * TRACE_STEP_MS);
  }

  /** Learns whole steps that ended by `untilMs`; a block that may still go on waits, when it is shorter than `wholeMs`. */
  #learn(untilMs: number, wholeMs: number): void {
    if (untilMs < this.#learnedUntilMs + TRACE_STEP_MS) return;
    const blocks = blocksOf(this.#statistics.steps(this.#learnedUntilMs, untilMs), BLOCK_MS);
    for (const [index, block] of blocks.entries()) {
      if (block.endMs - block.startMs < wholeMs && index === blocks.length - 1) break;
      this.#count(this.#profile.learn(block), block.calls);
      this.#learnedUntilMs = block.endMs;
    }
    this.#statistics.dropSteps(this.#isFrozen ? -Infinity : this.#learnedUntilMs);
  }

  #count(strange: ReadonlySet<number>, calls: ReadonlyMap<number, number>): void {
    const { names } = this.#statistics;
    for (const service of new Set([...calls.keys()].map((visit) => names.serviceOf(visit)))) {
      const blocks = strange.has(service) ? (this.#strangeBlocks.get(service) ?? 0) + 1 : 0;
      if (blocks >= LASTING_BLOCKS) forgetService(this.#profile.state, service, names);
      if (blocks === 0 || blocks >= LASTING_BLOCKS) this.#strangeBlocks.delete(service);
      else this.#strangeBlocks.set(service, blocks);
    }
    if (++this.#blocks % AGEING_BLOCKS === 0) ageProfile(this.#profile.state);
  }
}
