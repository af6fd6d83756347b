import type { Attribution, Signal } from '../model/anomaly.ts';
import { FEATURES, type Feature } from '../model/rollup.ts';
import { dispersionFor, type Baseline } from './baseline.ts';
import { expectedErrorRate } from './error-baseline.ts';
import { expectedBand, type ExpectedBand, type FeatureBaseline } from './feature-baseline.ts';
import { usualLatency } from './latency-baseline.ts';
import { poissonResidual, dispersionScale, binomialResidual } from './likelihood.ts';
import { slotOf, type StepRing } from './step-ring.ts';
import { windowFeatures, type FeatureValues } from './window-features.ts';

/** Features that a signal is about: they lead its attribution when they moved as far as others. */
const OWN_FEATURES: Record<Signal, ReadonlySet<Feature>> = {
  error_rate: new Set(['error_rate']),
  latency: new Set(['avg_latency', 'p95_latency', 'p99_latency']),
  traffic: new Set(['event_count']),
  silence: new Set(['event_count']),
  multivariate: new Set(),
  metric: new Set(),
};
const OWN_WEIGHT = 2;
const MOVED_SPREADS = 3;
const MOVED_RATIO = 0.2;
const MAX_DEVIATION = 40;
const MIN_SHARE = 0.05;
const BAND_SIGMAS = 3;
/** Used for latency features while the window length itself has no history yet. */
const YOUNG_LOG_SPREAD = 0.15;

function countBand(baseline: Baseline, horizon: number, expected: number, observed: number): ExpectedBand {
  const dispersion = dispersionFor(baseline, horizon, 'traffic', expected);
  const sigma = Math.sqrt(expected + dispersion * expected * expected);
  const deviation = expected > 0 ? poissonResidual(observed, expected) / dispersionScale(expected, expected, dispersion) : 0;
  return { expected, low: Math.max(0, expected - BAND_SIGMAS * sigma), high: expected + BAND_SIGMAS * sigma, deviation };
}

function errorBand(baseline: Baseline, horizon: number, values: FeatureValues): ExpectedBand | undefined {
  const [count = 0, rate = NaN] = values;
  if (count === 0) return undefined;
  const expected = expectedErrorRate(baseline.errors);
  const mean = expected * count;
  const dispersion = dispersionFor(baseline, horizon, 'errors', mean);
  const variance = mean * (1 - expected);
  const sigma = Math.sqrt(variance + dispersion * mean * mean) / count;
  const deviation = binomialResidual(rate * count, count, mean) / dispersionScale(variance, mean, dispersion);
  const low = Math.max(0, expected - BAND_SIGMAS * sigma);
  return { expected, low, high: Math.min(1, expected + BAND_SIGMAS * sigma), deviation };
}

function latencyFallback(baseline: Baseline, feature: Feature, observed: number): ExpectedBand | undefined {
  const usual = usualLatency(baseline.latency);
  const expected = { avg_latency: usual.mean, p95_latency: usual.p95, p99_latency: usual.p99 }[feature as string];
  if (expected === undefined || !(expected > 0)) return undefined;
  const factor = Math.exp(BAND_SIGMAS * YOUNG_LOG_SPREAD);
  const deviation = Math.log(Math.max(observed, 1e-3) / expected) / YOUNG_LOG_SPREAD;
  return { expected, low: expected / factor, high: expected * factor, deviation };
}

function bandOf(baseline: Baseline, ring: StepRing, last: number, length: number, horizon: number, values: FeatureValues) {
  return (index: number): ExpectedBand | undefined => {
    const feature = FEATURES[index] as Feature;
    const observed = values[index] as number;
    if (Number.isNaN(observed)) return undefined;
    if (feature === 'event_count') return countBand(baseline, horizon, expectedIn(ring, last, length), observed);
    if (feature === 'error_rate') return errorBand(baseline, horizon, values);
    const band = expectedBand(baseline.features[horizon] as FeatureBaseline, index, observed);
    return band ?? latencyFallback(baseline, feature, observed);
  };
}

function expectedIn(ring: StepRing, last: number, length: number): number {
  let expected = 0;
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    if (slot >= 0) expected += ring.expectedCount[slot] as number;
  }
  return expected;
}

interface Moved {
  feature: Feature;
  observed: number;
  band: ExpectedBand;
  weight: number;
}

function hasMoved(feature: Feature, band: ExpectedBand, observed: number): boolean {
  if (Math.abs(band.deviation) < MOVED_SPREADS) return false;
  const base = feature === 'event_velocity' ? Math.max(Math.abs(band.low), Math.abs(band.high)) : Math.abs(band.expected);
  return Math.abs(observed - band.expected) >= MOVED_RATIO * base;
}

/**
 * Which features of the window of `length` steps ending at `last` moved, how far, and how much of the whole deviation each
 * carries: signed deviations in spreads, normalised. Largest share first; empty when nothing moved beyond its band.
 */
export function attribute(
  baseline: Baseline,
  ring: StepRing,
  last: number,
  length: number,
  horizon: number,
  signal: Signal,
): Attribution[] {
  const values = windowFeatures(ring, last, length);
  const band = bandOf(baseline, ring, last, length, horizon, values);
  const moved: Moved[] = [];
  for (let index = 0; index < FEATURES.length; index++) {
    const feature = FEATURES[index] as Feature;
    const expected = band(index);
    const observed = values[index] as number;
    if (!expected) continue;
    const own = OWN_FEATURES[signal].has(feature);
    if (!hasMoved(feature, expected, observed)) continue;
    const weight = Math.min(MAX_DEVIATION, Math.abs(expected.deviation)) * (own ? OWN_WEIGHT : 1);
    // Velocity repeats what the count says; it speaks only when nothing else of the traffic moved.
    moved.push({ feature, observed, band: expected, weight: feature === 'event_velocity' ? weight / 4 : weight });
  }
  if (moved.some((entry) => entry.feature === 'event_count' && entry.band.deviation < 0)) {
    // Fewer events reach fewer endpoints: a consequence, not a driver.
    const at = moved.findIndex((entry) => entry.feature === 'unique_endpoints' && entry.band.deviation < 0);
    if (at >= 0) moved.splice(at, 1);
  }
  const total = moved.reduce((sum, entry) => sum + entry.weight, 0);
  return moved
    .map(({ feature, observed, band: { expected, low, high, deviation }, weight }) => ({
      feature,
      direction: deviation > 0 ? ('up' as const) : ('down' as const),
      expected,
      low,
      high,
      observed,
      share: weight / total,
    }))
    .filter((entry) => entry.share >= MIN_SHARE)
    .toSorted((a, b) => b.share - a.share || FEATURES.indexOf(a.feature) - FEATURES.indexOf(b.feature));
}
