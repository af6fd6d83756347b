/**
 * How much more than chance a count varies around its expectation: the squared coefficient of variation c in
 * variance = base + c * expected^2. A decayed ratio of moments (Breslow 1984), so that quiet and busy hours weigh in
 * by what they can tell; single terms are clipped, so that one burst does not make the series blind.
 */
export interface Dispersion {
  excess: number;
  weight: number;
}

const PRIOR_WEIGHT_STEPS = 20;
const CLIP_SIGMAS = 5;

export function createDispersion(): Dispersion {
  return { excess: 0, weight: 0 };
}

/** Current estimate, never below `floor`; `prior` counts as much as a few steps of a series with expectation `expected`. */
export function dispersionOf(state: Dispersion, floor: number, prior: number, expected: number): number {
  const priorWeight = PRIOR_WEIGHT_STEPS * Math.max(1e-6, expected * expected);
  return Math.max(floor, (state.excess + prior * priorWeight) / (state.weight + priorWeight));
}

/** Adds one observation; `current` is the estimate it was scored with, `keep` the decay (0..1) since the last one. */
export function learnDispersion(state: Dispersion, x: number, expected: number, current: number, keep: number): void {
  const variance = expected + current * expected * expected;
  const square = Math.min((x - expected) ** 2, CLIP_SIGMAS * CLIP_SIGMAS * variance);
  state.excess = state.excess * keep + (square - expected);
  state.weight = state.weight * keep + expected * expected;
}
