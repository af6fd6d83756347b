import { createDispersion, dispersionOf, learnDispersion, type Dispersion } from './dispersion.ts';
import { createErrorBaseline, errorUncertainty, expectedErrorRate, learnErrors, type ErrorBaseline } from './error-baseline.ts';
import { createFeatureBaseline, learnFeatures, type FeatureBaseline } from './feature-baseline.ts';
import { createLatencyBaseline, learnLatency, type LatencyBaseline } from './latency-baseline.ts';
import {
  createHorizonSums,
  HORIZON_COUNT,
  residualAt,
  slotOf,
  sumHorizon,
  TEST_COUNT,
  WINDOW_HORIZON,
  type HorizonSums,
  type StepRing,
} from './step-ring.ts';
import { createTailCalibration, learnTail, type TailCalibration } from './tail-calibration.ts';
import {
  createTrafficLevel,
  expectedTraffic,
  learnTraffic,
  trafficUncertainty,
  usualTraffic,
  type TrafficLevel,
} from './traffic-level.ts';
import { windowFeatures } from './window-features.ts';

/** What is compared with an expectation, each with a dispersion per horizon. */
export const QUANTITIES = ['traffic', 'errors', 'slow95', 'slow99', 'slow999'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** Everything one entity's history taught. Plain data: it is part of the snapshot. */
export interface Baseline {
  learnedSteps: number;
  /** First and last learned step. */
  firstStep: number;
  lastStep: number;
  traffic: TrafficLevel;
  errors: ErrorBaseline;
  latency: LatencyBaseline;
  /** By horizon, then in the order of QUANTITIES. */
  dispersions: Dispersion[];
  /** By horizon, then in the order of TESTS. */
  tails: TailCalibration[];
  /** By horizon. */
  features: FeatureBaseline[];
}

/** Steps learned before anything is compared: about 30 points. */
export const MIN_LEARNED_STEPS = 30;
const MINUTE_STEPS = 6;
const FLOORS = [0.0004, 0.0004, 0.0025, 0.0025, 0.0025] as const;
const PRIORS = [0.01, 0.02, 0.02, 0.02, 0.02] as const;
const DISPERSION_HALF_LIFE_STEPS = 2 * 8640;
const sums = createHorizonSums();

export function createBaseline(): Baseline {
  const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  return {
    learnedSteps: 0,
    firstStep: -1,
    lastStep: -1,
    traffic: createTrafficLevel(),
    errors: createErrorBaseline(),
    latency: createLatencyBaseline(),
    dispersions: many(HORIZON_COUNT * QUANTITIES.length, createDispersion),
    tails: many(HORIZON_COUNT * TEST_COUNT, createTailCalibration),
    features: many(HORIZON_COUNT, createFeatureBaseline),
  };
}

/** Events of a stretch, and how many were expected, for one quantity. */
export function quantityOf(stretch: HorizonSums, quantity: Quantity): { observed: number; expected: number; trials: number } {
  if (quantity === 'traffic') return { observed: stretch.traffic, expected: stretch.expectedTraffic, trials: Infinity };
  if (quantity === 'errors') return { observed: stretch.errors, expected: stretch.expectedErrors, trials: stretch.count };
  if (quantity === 'slow95') {
    return { observed: stretch.slow95, expected: stretch.expectedSlow95, trials: stretch.latencies };
  }
  if (quantity === 'slow99') {
    return { observed: stretch.slow99, expected: stretch.expectedSlow99, trials: stretch.latencies };
  }
  return { observed: stretch.slow999, expected: stretch.expectedSlow999, trials: stretch.latencies };
}

/** Squared coefficient of variation of a quantity over a horizon: what history showed, and what the baseline does not know. */
export function dispersionFor(baseline: Baseline, horizon: number, quantity: Quantity, expected: number): number {
  const at = QUANTITIES.indexOf(quantity);
  const state = baseline.dispersions[horizon * QUANTITIES.length + at] as Dispersion;
  const learned = dispersionOf(state, FLOORS[at] as number, PRIORS[at] as number, expected);
  if (quantity === 'traffic') return learned + trafficUncertainty(baseline.traffic);
  if (quantity === 'errors') return learned + errorUncertainty(baseline.errors);
  const { share95, share99, share999, total } = baseline.latency;
  const share = quantity === 'slow95' ? share95 : quantity === 'slow99' ? share99 : share999;
  return learned + 1 / (share * total + 0.5);
}

/** Expected share of latencies beyond the mark, never 0. */
export function slowShare(share: number, total: number): number {
  return (share * total + 0.5) / (total + 50);
}

/** Fills in, beside what happened in a step, what the baseline expects of it. Runs before scoring. */
export function expectStep(baseline: Baseline, ring: StepRing, slot: number, step: number): void {
  ring.scored[slot] = baseline.learnedSteps >= MIN_LEARNED_STEPS ? 1 : 0;
  const expected = expectedTraffic(baseline.traffic, step);
  const usual = usualTraffic(baseline.traffic, step);
  ring.expectedCount[slot] = expected;
  ring.leastCount[slot] = Number.isNaN(usual) ? expected : Math.min(expected, usual);
  ring.mostCount[slot] = Number.isNaN(usual) ? expected : Math.max(expected, usual);
  ring.expectedErrors[slot] = expectedErrorRate(baseline.errors) * (ring.count[slot] as number);
  const { share95, share99, share999, total } = baseline.latency;
  const latencies = ring.latencyCount[slot] as number;
  ring.expectedSlow95[slot] = slowShare(share95, total) * latencies;
  ring.expectedSlow99[slot] = slowShare(share99, total) * latencies;
  ring.expectedSlow999[slot] = slowShare(share999, total) * latencies;
}

function learnSpread(baseline: Baseline, ring: StepRing, step: number, slot: number, horizon: number, length: number): void {
  sumHorizon(ring, step, length, sums);
  if (sums.steps < length) return;
  const keep = 2 ** (-length / DISPERSION_HALF_LIFE_STEPS);
  for (let i = 0; i < QUANTITIES.length; i++) {
    if (i === 0 && sums.trafficSteps < length) continue;
    const { observed, expected } = quantityOf(sums, QUANTITIES[i] as Quantity);
    if (!(expected > 0)) continue;
    const state = baseline.dispersions[horizon * QUANTITIES.length + i] as Dispersion;
    const current = dispersionOf(state, FLOORS[i] as number, PRIORS[i] as number, expected);
    learnDispersion(state, observed, expected, current, keep);
  }
  for (let test = 0; test < TEST_COUNT; test++) {
    const residual = ring.residuals[residualAt(slot, horizon, test)] as number;
    if (!Number.isNaN(residual)) learnTail(baseline.tails[horizon * TEST_COUNT + test] as TailCalibration, residual);
  }
}

/** Learns one closed step that belongs to no anomaly. `lengths` are the horizons in steps. */
export function learnStep(baseline: Baseline, ring: StepRing, step: number, lengths: readonly number[]): void {
  const slot = slotOf(ring, step);
  if (slot < 0) return;
  const count = ring.count[slot] as number;
  const errorDispersion = dispersionFor(baseline, 0, 'errors', ring.expectedErrors[slot] as number);
  learnErrors(baseline.errors, ring.errorCount[slot] as number, count, errorDispersion);
  learnLatency(baseline.latency, step, ring.histograms[slot] ?? null, ring.latencySum[slot] as number);
  if (ring.whole[slot] === 1) {
    const dispersion = dispersionFor(baseline, 0, 'traffic', ring.expectedCount[slot] as number);
    learnTraffic(baseline.traffic, step, count, dispersion);
  }
  for (let horizon = 0; horizon < lengths.length; horizon++) {
    const length = lengths[horizon] as number;
    if ((step + 1) % length !== 0) continue;
    if (ring.scored[slot] === 1) learnSpread(baseline, ring, step, slot, horizon, length);
    if (horizon <= WINDOW_HORIZON && isWhole(ring, step, length))
      learnFeatures(baseline.features[horizon] as FeatureBaseline, windowFeatures(ring, step, length));
  }
  if (baseline.learnedSteps === 0) baseline.firstStep = step;
  baseline.lastStep = step;
  baseline.learnedSteps++;
}

/** Whether every step of the window is held and whole. */
export function isWhole(ring: StepRing, last: number, length: number): boolean {
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    if (slot < 0 || ring.whole[slot] === 0) return false;
  }
  return true;
}

export const STEPS_PER_MINUTE = MINUTE_STEPS;
