import { featureOf } from './trace-keys.ts';
import type { ShareSpread, TraceProfileState } from './trace-profile-state.ts';
import { type TraceWindow } from './trace-window.ts';
import { countOf, medianMs, superiority } from './latency-histogram.ts';

/** Change of the share of calls that have a feature. */
export interface FeatureChange {
  key: number;
  visit: number;
  before: number;
  after: number;
  calls: number;
  /** How much a call says against `before` being so still, times the belief in the change: 0 to 1. */
  strength: number;
}

/** Change of a time for the worse. */
export interface LatencyChange {
  key: number;
  beforeMs: number;
  afterMs: number;
  calls: number;
  /** Octaves by which the median rose, times how surely a call is slower than a normal one, times the belief in it: 0 to `MAX_OCTAVES`. */
  strength: number;
}

/** Fewer calls say nothing. */
const MIN_CALLS = 1;
/** A call that says this much says all that it can: as much as one that normally one in twenty shows. */
const FULL_SURPRISE_NATS = 3;
/** A deviation of this many standard errors is believed by half. */
const HALF_BELIEF_ERRORS = 2;
/** Changes below this time are nobody's trouble. */
const MATERIAL_MS = 2;
export const MAX_OCTAVES = 5;

function belief(deviation: number, variance: number): number {
  const squared = (deviation * deviation) / variance;
  return squared / (squared + HALF_BELIEF_ERRORS ** 2);
}

/** What one call says on average against `share` when `observed` is the truth, in nats (Kullback and Leibler, 1951). */
function divergence(observed: number, share: number): number {
  const inside = observed > 0 ? observed * Math.log(observed / share) : 0;
  return inside + (observed < 1 ? (1 - observed) * Math.log((1 - observed) / (1 - share)) : 0);
}

/** Variance of shares from block to block beyond `chance` / n (method of moments; Kleinman, JASA 1973). */
function excessVariance({ blocks, sum, squares, inverses }: ShareSpread, chance: number): number {
  if (blocks < 2) return 0;
  return Math.max(0, (squares - (sum * sum) / blocks) / (blocks - 1) - (chance * inverses) / blocks);
}

export function featureChanges(normal: TraceProfileState, window: TraceWindow): FeatureChange[] {
  const changes: FeatureChange[] = [];
  const judge = (key: number): void => {
    const { visit } = featureOf(key);
    const calls = window.calls.get(visit) ?? 0;
    const normalCalls = normal.calls.get(visit) ?? 0;
    if (calls < MIN_CALLS || normalCalls < MIN_CALLS) return;
    const before = ((normal.features.get(key) ?? 0) + 0.5) / (normalCalls + 1);
    const after = (window.features.get(key) ?? 0) / calls;
    const chance = before * (1 - before);
    const { blocks, inverses } = normal.visitBlocks.get(visit) ?? { blocks: 0, inverses: 0 };
    const { sum, squares } = normal.featureShares.get(key) ?? { sum: 0, squares: 0 };
    const excess = excessVariance({ blocks, sum, squares, inverses }, chance);
    const surprise = Math.min(1, divergence(after, before) / FULL_SURPRISE_NATS);
    const strength = surprise * belief(after - before, chance / calls + chance / (normalCalls + 1) + excess);
    changes.push({ key, visit, before, after, calls, strength });
  };
  for (const key of normal.features.keys()) judge(key);
  for (const key of window.features.keys()) if (!normal.features.has(key)) judge(key);
  return changes;
}

export function latencyChanges(normal: TraceProfileState, window: TraceWindow, of: 'selfTimes' | 'gaps'): LatencyChange[] {
  const changes: LatencyChange[] = [];
  const ranks = of === 'gaps' ? normal.gapRanks : normal.selfTimeRanks;
  for (const [key, histogram] of window[of]) {
    const known = normal[of].get(key);
    const calls = countOf(histogram);
    const normalCalls = known ? countOf(known) : 0;
    if (!known || calls < MIN_CALLS || normalCalls < MIN_CALLS) continue;
    const slower = superiority(histogram, known);
    const beforeMs = medianMs(known, normalCalls);
    const afterMs = medianMs(histogram, calls);
    const octaves = Math.min(MAX_OCTAVES, Math.max(0, Math.log2((afterMs + MATERIAL_MS) / (beforeMs + MATERIAL_MS))));
    const spread = ranks.get(key);
    // The variance of a rank-sum share under no change is 1/12 for one value.
    const variance = (1 / calls + 1 / normalCalls) / 12 + (spread ? excessVariance(spread, 1 / 12) : 0);
    const strength = slower > 0.5 ? octaves * (2 * slower - 1) * belief(slower - 0.5, variance) : 0;
    changes.push({ key, beforeMs, afterMs, calls, strength });
  }
  return changes;
}
