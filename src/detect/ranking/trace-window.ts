import { addCount, LATENCY_BUCKETS } from './latency-histogram.ts';
import type { TraceStep } from './trace-step.ts';

/** Counts of several steps of time added up. Keys are those of `trace-keys.ts`. */
export interface TraceWindow {
  startMs: number;
  endMs: number;
  /** Calls by visit. */
  calls: Map<number, number>;
  /** Calls that had a feature, by feature. */
  features: Map<number, number>;
  /** Time not spent in calls, by visit; and time lost between caller and callee, by edge: counts by bucket. */
  selfTimes: Map<number, Uint32Array>;
  gaps: Map<number, Uint32Array>;
}

export function createTraceWindow(startMs: number, endMs: number): TraceWindow {
  return { startMs, endMs, calls: new Map(), features: new Map(), selfTimes: new Map(), gaps: new Map() };
}

/** Adds a step to a window, which then spans both. */
function addStep(into: TraceWindow, step: TraceStep): void {
  into.startMs = Math.min(into.startMs, step.startMs);
  into.endMs = Math.max(into.endMs, step.endMs);
  for (const [key, count] of step.calls) addCount(into.calls, key, count);
  for (const [key, count] of step.features) addCount(into.features, key, count);
  addLatencies(into.selfTimes, step.selfTimes);
  addLatencies(into.gaps, step.gaps);
}

function addLatencies(histograms: Map<number, Uint32Array>, cells: ReadonlyMap<number, number>): void {
  for (const [cell, count] of cells) {
    const bucket = cell % LATENCY_BUCKETS;
    const key = (cell - bucket) / LATENCY_BUCKETS;
    let histogram = histograms.get(key);
    if (!histogram) histograms.set(key, (histogram = new Uint32Array(LATENCY_BUCKETS)));
    histogram[bucket] = (histogram[bucket] as number) + count;
  }
}

export function sumSteps(steps: Iterable<TraceStep>): TraceWindow {
  const sum = createTraceWindow(Infinity, -Infinity);
  for (const step of steps) addStep(sum, step);
  return sum;
}

/** Consecutive steps added up to blocks of `blockMs`; a gap ends a block. */
export function blocksOf(steps: readonly TraceStep[], blockMs: number): TraceWindow[] {
  const blocks: TraceWindow[] = [];
  for (const step of steps) {
    const last = blocks.at(-1);
    if (last && last.endMs === step.startMs && step.endMs - last.startMs <= blockMs) addStep(last, step);
    else blocks.push(sumSteps([step]));
  }
  return blocks;
}
