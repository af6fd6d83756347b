import { dispersionFor, quantityOf, STEPS_PER_MINUTE, type Baseline, type Quantity } from './baseline.ts';
import { usualLatency } from './latency-baseline.ts';
import { binomialResidual, dispersionScale, poissonResidual } from './likelihood.ts';
import { histogramQuantile } from '../model/histogram.ts';
import {
  createDenseHistogram,
  createHorizonSums,
  HORIZON_COUNT,
  mergeHistograms,
  residualAt,
  slotOf,
  sumHorizon,
  TEST_COUNT,
  TESTS,
  type HorizonSums,
  type StepRing,
  type TestName,
} from './step-ring.ts';
import { tailEvidence, type TailCalibration } from './tail-calibration.ts';

/** Limits below which nothing pages, however unlikely it is by chance. */
const MIN_EVENTS = 20;
const MIN_EXCESS_ERRORS = 5;
const MIN_ERROR_RISE = 0.005;
const ERROR_RATIO = 2;
const BIG_ERROR_RISE = 0.15;
const MIN_EXCESS_SLOW = 8;
const MIN_EVENTS_P99 = 200;
const LATENCY_RATIO = 1.4;
const P99_RATIO = 1.6;
const MIN_LATENCY_RISE_MS = 2;
/** By horizon: the longer, the less a lull explains. */
const DROP_RATIOS = [0.6, 0.6, 0.75, 0] as const;
const RISE_RATIO = 2;
/** Beyond the usual p99.9: five times as many as usual, and one request in two hundred. */
const MIN_EXCESS_FAR = 5;
const MIN_FAR_RATIO = 5;
const MIN_FAR_SHARE = 0.005;

const QUANTITY_OF: Record<TestName, Quantity> = {
  errors: 'errors',
  slow95: 'slow95',
  slow99: 'slow99',
  slow999: 'slow999',
  rise: 'traffic',
  drop: 'traffic',
};
const dense = createDenseHistogram();
const sums = createHorizonSums();

/** Residual of a test over a stretch, in sigmas, positive when it speaks for a fault; NaN when there is nothing to compare. */
export function testResidual(baseline: Baseline, horizon: number, test: TestName, stretch: HorizonSums): number {
  const quantity = QUANTITY_OF[test];
  const { observed, trials, ...usual } = quantityOf(stretch, quantity);
  const expected = test === 'rise' ? stretch.mostTraffic : test === 'drop' ? stretch.leastTraffic : usual.expected;
  if (!(expected > 0) || (quantity === 'traffic' && stretch.trafficSteps === 0)) return NaN;
  const dispersion = dispersionFor(baseline, horizon, quantity, expected);
  if (quantity === 'traffic') {
    const residual = poissonResidual(observed, expected) / dispersionScale(expected, expected, dispersion);
    return test === 'drop' ? -residual : residual;
  }
  const bounded = Math.min(expected, 0.999 * trials);
  const variance = bounded * (1 - bounded / trials);
  return binomialResidual(observed, trials, bounded) / dispersionScale(variance, bounded, dispersion);
}

function errorEffect(stretch: HorizonSums): boolean {
  const { count, errors, expectedErrors } = stretch;
  if (count < MIN_EVENTS || errors - expectedErrors < MIN_EXCESS_ERRORS) return false;
  const rise = (errors - expectedErrors) / count;
  return rise >= MIN_ERROR_RISE && (errors >= ERROR_RATIO * expectedErrors || rise >= BIG_ERROR_RISE);
}

function latencyEffect(baseline: Baseline, ring: StepRing, last: number, length: number, total: number): boolean {
  const usual = usualLatency(baseline.latency);
  mergeHistograms(ring, last, length, dense);
  const p95 = histogramQuantile(dense, total, 0.95);
  if (p95 >= LATENCY_RATIO * usual.p95 && p95 - usual.p95 >= MIN_LATENCY_RISE_MS) return true;
  if (total < MIN_EVENTS_P99) return false;
  const p99 = histogramQuantile(dense, total, 0.99);
  return p99 >= P99_RATIO * usual.p99 && p99 - usual.p99 >= MIN_LATENCY_RISE_MS;
}

/** Whether a deviation is large enough, and rests on enough traffic, to matter to anyone. */
function matters(
  baseline: Baseline,
  ring: StepRing,
  last: number,
  length: number,
  horizon: number,
  test: TestName,
  stretch: HorizonSums,
): boolean {
  if (test === 'errors') return errorEffect(stretch);
  if (test === 'drop') {
    return stretch.leastTraffic >= MIN_EVENTS && stretch.traffic <= (DROP_RATIOS[horizon] as number) * stretch.leastTraffic;
  }
  if (test === 'rise') {
    const enough = stretch.traffic >= 2 * MIN_EVENTS && stretch.mostTraffic >= 1;
    return enough && stretch.traffic >= RISE_RATIO * stretch.mostTraffic;
  }
  if (test === 'slow999') {
    const { slow999, expectedSlow999, latencies } = stretch;
    const isMany = slow999 >= MIN_FAR_RATIO * expectedSlow999 && slow999 >= MIN_FAR_SHARE * latencies;
    return isMany && slow999 - expectedSlow999 >= MIN_EXCESS_FAR;
  }
  const excess = test === 'slow95' ? stretch.slow95 - stretch.expectedSlow95 : stretch.slow99 - stretch.expectedSlow99;
  if (stretch.latencies < (test === 'slow95' ? MIN_EVENTS : MIN_EVENTS_P99) || excess < MIN_EXCESS_SLOW) return false;
  return latencyEffect(baseline, ring, last, length, stretch.latencies);
}

/**
 * Scores the stretches that end with `step` on every horizon: writes residuals to the ring and evidence (-log10 p after the
 * guards, by horizon then test) to `evidence`.
 */
export function gatherEvidence(
  baseline: Baseline,
  ring: StepRing,
  step: number,
  lengths: readonly number[],
  evidence: Float64Array,
): void {
  evidence.fill(0);
  const slot = slotOf(ring, step);
  if (slot < 0) return;
  for (let horizon = 0; horizon < lengths.length; horizon++) {
    const length = lengths[horizon] as number;
    if (horizon === HORIZON_COUNT - 1 && (step + 1) % STEPS_PER_MINUTE !== 0) continue;
    sumHorizon(ring, step, length, sums);
    for (let test = 0; test < TEST_COUNT; test++) {
      const name = TESTS[test] as TestName;
      if (horizon === HORIZON_COUNT - 1 && QUANTITY_OF[name] === 'traffic') continue;
      const residual = sums.steps === 0 ? NaN : testResidual(baseline, horizon, name, sums);
      ring.residuals[residualAt(slot, horizon, test)] = residual;
      if (!(residual > 2)) continue;
      const strength = tailEvidence(baseline.tails[horizon * TEST_COUNT + test] as TailCalibration, residual);
      if (strength > 0 && matters(baseline, ring, step, length, horizon, name, sums))
        evidence[horizon * TEST_COUNT + test] = strength;
    }
  }
}
