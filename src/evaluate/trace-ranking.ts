import { TraceWatch } from '../detect/trace-watch.ts';
import { systemClock } from '../lib/clock.ts';
import { batchesOf } from './event-replay.ts';

const STEP_MS = 10_000;

/** A stretch of trouble, as somebody saw it. */
export interface Trouble {
  onsetMs: number;
  untilMs: number;
}

export interface TraceRanking {
  byService: ReadonlyMap<string, number>;
  /** Wall time that ranking took. */
  seconds: number;
}

/**
 * Plays a recording through the live detector's trace watch, told of troubles as its incidents would tell it, and ranks services at
 * the end of each; null for one without an onset, or without a call in that time. Troubles stand in order of time.
 */
export function rankTroubles(eventsPath: string, troubles: readonly (Trouble | null)[]): (TraceRanking | null)[] {
  const watch = new TraceWatch();
  const rankings = troubles.map((): TraceRanking | null => null);
  const queue = troubles
    .flatMap((trouble, index) => (trouble ? [{ ...trouble, index }] : []))
    .sort((a, b) => a.untilMs - b.untilMs);
  const end = (): void => {
    const { onsetMs, untilMs, index } = queue.shift() as Trouble & { index: number };
    const startedMs = systemClock.monotonicMs();
    watch.advance(untilMs, onsetMs);
    const byService = new Map(watch.rank(onsetMs, untilMs).map(({ service, score }) => [service, score]));
    if (watch.hasCalls(onsetMs, untilMs))
      rankings[index] = { byService, seconds: (systemClock.monotonicMs() - startedMs) / 1000 };
  };
  for (const batch of batchesOf(eventsPath)) {
    const firstMs = batch.timestamp[0] as number;
    while (queue[0] && queue[0].untilMs + STEP_MS <= firstMs) end();
    const first = Math.min(Infinity, ...queue.map(({ onsetMs }) => onsetMs));
    watch.advance(firstMs, first <= firstMs ? first : Infinity);
    watch.observe(batch);
  }
  watch.flush();
  while (queue.length > 0) end();
  return rankings;
}
