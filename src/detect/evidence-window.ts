import type { Signal } from '../model/anomaly.ts';
import type { Baseline } from './baseline.ts';
import { testResidual } from './evidence.ts';
import {
  createHorizonSums,
  residualAt,
  slotOf,
  sumHorizon,
  TESTS,
  type StepRing,
  type TestName,
  WINDOW_HORIZON,
} from './step-ring.ts';

/** Tests that speak for a signal. */
export const SIGNAL_TESTS: Record<Signal, readonly TestName[]> = {
  error_rate: ['errors'],
  latency: ['slow95', 'slow99', 'slow999'],
  traffic: ['rise', 'drop'],
  silence: ['drop'],
  multivariate: [],
  metric: [],
};
const MIN_EVENTS = 20;
const DEVIATING = 2;
const MAX_MISSES = 1;
const RECENT_STEPS = 6;
const sums = createHorizonSums();

/** A window aligned to its own length, so that the metrics API with that step answers the same numbers. */
export interface EvidenceWindow {
  lastStep: number;
  length: number;
  horizon: number;
}

function deviates(ring: StepRing, step: number, tests: readonly TestName[]): boolean {
  const slot = slotOf(ring, step);
  if (slot < 0) return false;
  return tests.some((test) => (ring.residuals[residualAt(slot, 0, TESTS.indexOf(test))] as number) >= DEVIATING);
}

/** First step of the stretch that deviates up to `step`, short lapses included; at most `reach` steps back. */
export function startOfDeviation(ring: StepRing, step: number, signal: Signal, reach: number): number {
  const tests = SIGNAL_TESTS[signal];
  let start = -1;
  let misses = 0;
  for (let at = step; at > step - reach && misses <= MAX_MISSES; at--) {
    if (deviates(ring, at, tests)) {
      start = at;
      misses = 0;
    } else misses++;
  }
  return start;
}

/**
 * The aligned window since `startStep` that shows the fault best: the one with the largest residual among the last 10 s
 * windows, and the whole aligned minutes and longest windows that lie mostly inside the fault.
 */
export function bestWindow(
  baseline: Baseline,
  ring: StepRing,
  step: number,
  startStep: number,
  signal: Signal,
  lengths: readonly number[],
): EvidenceWindow {
  let best: EvidenceWindow = { lastStep: step, length: lengths[0] as number, horizon: 0 };
  let strongest = -Infinity;
  const tests = SIGNAL_TESTS[signal];
  for (let horizon = 0; horizon <= WINDOW_HORIZON; horizon++) {
    const length = lengths[horizon] as number;
    const newest = step - ((step + 1) % length);
    const oldest = Math.max(startStep + Math.floor(length / 2), newest - RECENT_STEPS * length + 1);
    for (let last = newest; last >= oldest; last -= length) {
      sumHorizon(ring, last, length, sums);
      if (sums.steps === 0 || (sums.count < MIN_EVENTS && sums.expectedTraffic < MIN_EVENTS)) continue;
      const residual = Math.max(...tests.map((test) => testResidual(baseline, horizon, test, sums) || -Infinity));
      if (residual > strongest) {
        strongest = residual;
        best = { lastStep: last, length, horizon };
      }
    }
  }
  return best;
}
