import { rankTraceCauses } from '../detect/ranking/trace-causes.ts';
import { TraceProfile } from '../detect/ranking/trace-profile.ts';
import { TraceStatistics } from '../detect/ranking/trace-statistics.ts';
import { blocksOf, sumWindows } from '../detect/ranking/trace-window.ts';
import { systemClock } from '../lib/clock.ts';
import { batchesOf } from './event-replay.ts';

const STEP_MS = 10_000;
const BLOCK_MS = 60_000;
/** A recording is ranked at many moments, so all of its steps are kept. */
const MAX_STEPS = 1_000_000;

export interface TraceRanking {
  byService: ReadonlyMap<string, number>;
  /** Wall time that ranking took. */
  seconds: number;
}

/** Traces of a recording, to be ranked at given moments. */
export class RecordedTraces {
  readonly #statistics = new TraceStatistics({ stepMs: STEP_MS, maxSteps: MAX_STEPS });

  constructor(eventsPath: string) {
    for (const batch of batchesOf(eventsPath)) this.#statistics.observe(batch);
    this.#statistics.flush();
  }

  /** Services by the likelihood that they are at fault from `onsetMs` on; null without a call in that time. */
  rank(onsetMs: number, untilMs: number): TraceRanking | null {
    const startedMs = systemClock.monotonicMs();
    const firstMs = Math.floor(onsetMs / STEP_MS) * STEP_MS;
    const window = sumWindows(this.#statistics.steps(firstMs, Math.ceil(untilMs / STEP_MS) * STEP_MS));
    if (window.calls.size === 0) return null;
    const profile = new TraceProfile(this.#statistics.names);
    for (const block of blocksOf(this.#statistics.steps(-Infinity, firstMs), BLOCK_MS)) profile.learn(block);
    const byService = new Map<string, number>();
    for (const { service, score } of rankTraceCauses(profile.state, window, this.#statistics.names)) {
      byService.set(service, Math.max(score, byService.get(service) ?? 0));
    }
    return { byService, seconds: (systemClock.monotonicMs() - startedMs) / 1000 };
  }
}
