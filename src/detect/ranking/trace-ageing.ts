import { edgeOf, featureOf, type TraceNames } from './trace-keys.ts';
import type { TraceProfileState } from './trace-profile-state.ts';

function halveAll<Value extends object>(rows: Map<number, Value>): void {
  for (const row of rows.values() as Iterable<Record<string, number>>)
    for (const key of Object.keys(row)) row[key] = (row[key] as number) / 2;
}

function halveHistograms(histograms: Map<number, Uint32Array>): void {
  for (const [key, histogram] of histograms) {
    let left = 0;
    for (let i = 0; i < histogram.length; i++) left += histogram[i] = (histogram[i] as number) >> 1;
    if (left === 0) histograms.delete(key);
  }
}

function halveCounts(counts: Map<number, number>): void {
  for (const [key, count] of counts) {
    if (count < 1) counts.delete(key);
    else counts.set(key, count / 2);
  }
}

function keepKnown(rows: Map<number, unknown>, known: ReadonlyMap<number, unknown>): void {
  for (const key of rows.keys()) if (!known.has(key)) rows.delete(key);
}

/** Halves the weight of everything known, so that what comes counts more; what was seen hardly ever is forgotten. */
export function ageProfile(state: TraceProfileState): void {
  halveCounts(state.calls);
  halveCounts(state.features);
  halveHistograms(state.selfTimes);
  halveHistograms(state.gaps);
  keepKnown(state.visitBlocks, state.calls);
  keepKnown(state.featureShares, state.features);
  keepKnown(state.selfTimeRanks, state.selfTimes);
  keepKnown(state.gapRanks, state.gaps);
  halveAll(state.visitBlocks);
  halveAll(state.featureShares);
  halveAll(state.selfTimeRanks);
  halveAll(state.gapRanks);
}

/** Forgets how a service behaves, that it may be learned anew. */
export function forgetService(state: TraceProfileState, service: number, names: TraceNames): void {
  const isOwn = (visit: number): boolean => names.serviceOf(visit) === service;
  for (const rows of [state.calls, state.visitBlocks, state.selfTimes, state.selfTimeRanks]) {
    for (const visit of rows.keys()) if (isOwn(visit)) rows.delete(visit);
  }
  for (const rows of [state.features, state.featureShares]) {
    for (const key of rows.keys()) if (isOwn(featureOf(key).visit)) rows.delete(key);
  }
  for (const rows of [state.gaps, state.gapRanks]) {
    for (const key of rows.keys()) if (isOwn(edgeOf(key).visit) || edgeOf(key).caller === service) rows.delete(key);
  }
}
