import { log10ZeroProbability } from './likelihood.ts';

/**
 * A series that stops: the run of empty steps up to now, against what was expected in it and against the longest run
 * that is usual. A job that speaks every five minutes is not dead after one.
 */
export interface Silence {
  /** Empty whole steps in a row, and the events expected in them. */
  run: number;
  expected: number;
  /** Longest usual run of empty steps, fading over days. */
  usualRun: number;
}

const MIN_RUN_STEPS = 3;
const SURE_EVIDENCE = 15;
const MIN_EVIDENCE = 8;
const DAILY_KEEP_PER_STEP = 0.5 ** (1 / (3 * 8640));

export function createSilence(): Silence {
  return { run: 0, expected: 0, usualRun: 0 };
}

/** Takes in one step; a hole in the stream begins the count anew, for nobody knows what was in it. */
export function countSilence(state: Silence, count: number, expected: number, whole: boolean): void {
  if (count > 0 || !whole) {
    state.run = 0;
    state.expected = 0;
  } else {
    state.run++;
    state.expected += expected;
  }
}

/** Learns the run that ended at, or goes on through, an undisturbed step. */
export function learnSilence(state: Silence, emptySteps: number): void {
  state.usualRun = Math.max(state.usualRun * DAILY_KEEP_PER_STEP, emptySteps);
}

/**
 * Evidence (-log10 p) that the series stopped, 0 while the run is usual or too short. `patience` >= 1 stretches what is
 * usual while little history is known.
 */
export function silenceEvidence(state: Silence, dispersion: number, patience: number): number {
  if (state.run < MIN_RUN_STEPS - 1 || state.run <= patience * (2 * state.usualRun + 1)) return 0;
  const evidence = -log10ZeroProbability(state.expected, dispersion);
  if (evidence < MIN_EVIDENCE) return 0;
  return state.run >= MIN_RUN_STEPS || evidence >= SURE_EVIDENCE ? evidence : 0;
}
