import { SUB_WINDOW_MS } from '../model/rollup.ts';

/** The usual error rate: decayed sums with a weak Beta prior, half-life 12 h, so that a long fault is not soon absorbed. */
export interface ErrorBaseline {
  errors: number;
  count: number;
}

const KEEP = 2 ** (-SUB_WINDOW_MS / (12 * 3_600_000));
const PRIOR_ERRORS = 0.5;
const PRIOR_COUNT = 100;
const CLIP_SIGMAS = 5;

export function createErrorBaseline(): ErrorBaseline {
  return { errors: 0, count: 0 };
}

export function expectedErrorRate(state: ErrorBaseline): number {
  return (state.errors + PRIOR_ERRORS) / (state.count + PRIOR_COUNT);
}

/** Relative variance of the rate itself, from how few errors it rests on. */
export function errorUncertainty(state: ErrorBaseline): number {
  return 1 / (state.errors + PRIOR_ERRORS);
}

/** Adds a step; its errors are clipped to what chance and `dispersion` explain, so that a short burst does not become usual. */
export function learnErrors(state: ErrorBaseline, errors: number, count: number, dispersion: number): void {
  const expected = expectedErrorRate(state) * count;
  const reach = expected + CLIP_SIGMAS * Math.sqrt(expected + dispersion * expected * expected) + 1;
  const clipped = state.count > 0 ? Math.min(errors, Math.max(reach, errors / 4)) : errors;
  state.errors = state.errors * KEEP + clipped;
  state.count = state.count * KEEP + count;
}
