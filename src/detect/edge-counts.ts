import type { EdgeMessage } from '../model/alert.ts';
import { bucketOf } from '../model/histogram.ts';

/** Calls of one minute between two services. Plain data. */
export interface EdgeCount {
  caller: string;
  callee: string;
  count: number;
  errorCount: number;
  gaps: Map<number, number>;
}

/** By minute, then by "caller callee". */
export type EdgeCounts = Map<number, Map<string, EdgeCount>>;

/** Beyond this the calls of further pairs are not counted in their minute. */
const MAX_EDGES = 5000;
/** Minutes since the epoch that can be open at once: the others are of clocks that are wrong. */
const MAX_MINUTES = 16;

export interface Call {
  caller: string;
  callee: string;
  minute: number;
  weight: number;
  isError: boolean;
  /** Client time less server time, milliseconds; NaN when unknown. */
  gapMs: number;
}

/** Returns false when there is no room for it. */
export function countCall(counts: EdgeCounts, { caller, callee, minute, weight, isError, gapMs }: Call): boolean {
  let edges = counts.get(minute);
  if (!edges) {
    if (counts.size >= MAX_MINUTES) return false;
    counts.set(minute, (edges = new Map()));
  }
  const key = `${caller}\u0000${callee}`;
  let edge = edges.get(key);
  if (!edge) {
    if (edges.size >= MAX_EDGES) return false;
    edges.set(key, (edge = { caller, callee, count: 0, errorCount: 0, gaps: new Map() }));
  }
  edge.count += weight;
  if (isError) edge.errorCount += weight;
  // Clocks of one host measure both, so that less than nothing is rounding.
  if (!Number.isNaN(gapMs)) {
    const bucket = bucketOf(Math.max(0, gapMs));
    edge.gaps.set(bucket, (edge.gaps.get(bucket) ?? 0) + weight);
  }
  return true;
}

/** Takes a minute out, its pairs in order of their names. */
export function takeMinute(counts: EdgeCounts, minute: number, partition: number): EdgeMessage[] {
  const edges = [...(counts.get(minute) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  counts.delete(minute);
  return edges.map(([, { caller, callee, count, errorCount, gaps }]) => ({
    caller,
    callee,
    minuteMs: minute * 60_000,
    partition,
    count: Math.max(1, Math.round(count)),
    errorCount: Math.round(errorCount),
    gapHistogram: [...gaps]
      .toSorted(([a], [b]) => a - b)
      .map(([bucket, n]): [number, number] => [bucket, Math.max(1, Math.round(n))]),
  }));
}
