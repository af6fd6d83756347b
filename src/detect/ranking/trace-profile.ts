import { edgeOf, featureOf, type TraceNames } from './trace-keys.ts';
import { featureChanges, latencyChanges } from './trace-changes.ts';
import { type TraceWindow } from './trace-window.ts';
import { createTraceProfileState, type ShareSpread, type TraceProfileState } from './trace-profile-state.ts';
import { addCount, countOf, mergeHistogram, superiority } from './latency-histogram.ts';

/** Features known; a profile that is full learns no further ones, so that they stay new. */
const MAX_FEATURES = 30_000;
/** The same for visits and for edges that have a histogram. */
const MAX_HISTOGRAMS = 4_000;
/** Blocks with fewer calls say nothing about how much a share or a time varies. */
const MIN_BLOCK_CALLS = 3;
/** A service whose block differs this much from what is known is not learned from it: its trouble is not to become normal. */
const MAX_LEARNED_STRUCTURE = 0.15;
const MAX_LEARNED_OCTAVES = 1;

/** Services and edges that a block shows in another way than they are known. */
function strangers(
  state: TraceProfileState,
  block: TraceWindow,
  names: TraceNames,
): { services: Set<number>; edges: Set<number> } {
  const services = new Set<number>();
  const edges = new Set<number>();
  for (const { visit, strength } of featureChanges(state, block)) {
    if (strength > MAX_LEARNED_STRUCTURE) services.add(names.serviceOf(visit));
  }
  for (const { key, strength } of latencyChanges(state, block, 'selfTimes')) {
    if (strength > MAX_LEARNED_OCTAVES) services.add(names.serviceOf(key));
  }
  for (const { key, strength } of latencyChanges(state, block, 'gaps')) {
    if (strength > MAX_LEARNED_OCTAVES) edges.add(key);
  }
  return { services, edges };
}

/** What is normal, learned from blocks of about a minute in order of time. Trouble is left out by itself. */
export class TraceProfile {
  readonly #names: TraceNames;
  readonly state: TraceProfileState;

  constructor(names: TraceNames, state: TraceProfileState = createTraceProfileState()) {
    this.#names = names;
    this.state = state;
  }

  /** Returns the services that were left out because they differed too much. */
  learn(block: TraceWindow): Set<number> {
    const { state } = this;
    const { services: strange, edges: strangeEdges } = strangers(state, block, this.#names);
    const isLearned = (visit: number): boolean => !strange.has(this.#names.serviceOf(visit));
    for (const [visit, calls] of block.calls) {
      if (!isLearned(visit)) continue;
      addCount(state.calls, visit, calls);
      if (calls < MIN_BLOCK_CALLS) continue;
      const known = state.visitBlocks.get(visit) ?? { blocks: 0, inverses: 0 };
      known.blocks++;
      known.inverses += 1 / calls;
      state.visitBlocks.set(visit, known);
    }
    for (const [key, count] of block.features) {
      const { visit } = featureOf(key);
      if (!isLearned(visit) || (state.features.size >= MAX_FEATURES && !state.features.has(key))) continue;
      addCount(state.features, key, count);
      const calls = block.calls.get(visit) ?? 0;
      if (calls < MIN_BLOCK_CALLS) continue;
      const shares = state.featureShares.get(key) ?? { sum: 0, squares: 0 };
      shares.sum += count / calls;
      shares.squares += (count / calls) ** 2;
      state.featureShares.set(key, shares);
    }
    learnLatencies(state.selfTimes, state.selfTimeRanks, block.selfTimes, isLearned);
    learnLatencies(state.gaps, state.gapRanks, block.gaps, (key) => !strangeEdges.has(key) && isLearned(edgeOf(key).visit));
    return strange;
  }
}

function learnLatencies(
  known: Map<number, Uint32Array>,
  ranks: Map<number, ShareSpread>,
  block: ReadonlyMap<number, Uint32Array>,
  isLearned: (key: number) => boolean,
): void {
  for (const [key, histogram] of block) {
    if (!isLearned(key)) continue;
    const sum = known.get(key);
    const count = countOf(histogram);
    if (sum && count >= MIN_BLOCK_CALLS) {
      const share = superiority(histogram, sum);
      const spread = ranks.get(key) ?? { blocks: 0, sum: 0, squares: 0, inverses: 0 };
      spread.blocks++;
      spread.sum += share;
      spread.squares += share * share;
      spread.inverses += 1 / count;
      ranks.set(key, spread);
    }
    if (sum || known.size < MAX_HISTOGRAMS) mergeHistogram(known, key, histogram);
  }
}
