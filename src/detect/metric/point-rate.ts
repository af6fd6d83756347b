import type { SeriesKind } from '../../model/metric.ts';

/** Last total of a cumulative series. Plain data. */
export interface RateState {
  value: number;
  /** Milliseconds since the epoch; -Infinity before the first point. */
  timeMs: number;
  startMs: number;
}

export function createRateState(): RateState {
  return { value: 0, timeMs: -Infinity, startMs: NaN };
}

/** Between totals further apart than this nothing is said: it would spread over time that nobody watched. */
const MAX_DISTANCE_MS = 3_600_000;

/**
 * What a point says per tick: a gauge its reading, a delta itself, a total its increase per second since the point before. A total
 * below the one before, or with a later start, began anew and counts whole (OpenTelemetry metrics data model, "Resets and gaps").
 * NaN where nothing can be said.
 */
export function rateOf(state: RateState, kind: SeriesKind, timeMs: number, value: number, startMs: number): number {
  if (kind !== 'cumulative') return value;
  const { value: before, timeMs: beforeMs, startMs: beforeStartMs } = state;
  if (timeMs <= beforeMs) return NaN;
  state.value = value;
  state.timeMs = timeMs;
  state.startMs = startMs;
  const distanceMs = timeMs - beforeMs;
  if (!(distanceMs <= MAX_DISTANCE_MS)) return NaN;
  const isReset = value < before || startMs > beforeStartMs;
  return ((isReset ? value : value - before) * 1000) / distanceMs;
}
