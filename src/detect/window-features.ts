import { upperQuantile } from '../model/histogram.ts';
import { FEATURES, SUB_WINDOW_MS, type Feature } from '../model/rollup.ts';
import { createDenseHistogram, mergeHistograms, slotOf, type StepRing } from './step-ring.ts';

/**
 * Values of FEATURES, in that order, over one window: the same definitions as the metrics API's. A latency feature of a
 * window without latencies, and the error rate of one without events, is NaN.
 */
export type FeatureValues = Float64Array;

const FEATURE_INDEX = new Map(FEATURES.map((feature, index) => [feature, index]));

export function featureIndex(feature: Feature): number {
  return FEATURE_INDEX.get(feature) as number;
}

const dense = createDenseHistogram();

function countIn(ring: StepRing, last: number, length: number): number {
  let count = 0;
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    if (slot >= 0) count += ring.count[slot] as number;
  }
  return count;
}

/** Call number at which an endpoint was last counted: a set that is cleared by counting on. */
let stamps = new Float64Array(1024);
let calls = 0;

function distinctEndpoints(ring: StepRing, last: number, length: number): number {
  calls++;
  let distinct = 0;
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    const endpoints = slot < 0 ? null : ring.endpoints[slot];
    if (!endpoints) continue;
    for (const endpoint of endpoints) {
      if (endpoint >= stamps.length) stamps = grown(stamps, endpoint);
      if (stamps[endpoint] === calls) continue;
      stamps[endpoint] = calls;
      distinct++;
    }
  }
  return distinct;
}

function grown(old: Float64Array<ArrayBuffer>, index: number): Float64Array<ArrayBuffer> {
  const next = new Float64Array(2 * index + 2);
  next.set(old);
  return next;
}

/**
 * Features of the window of `length` steps that ends with step `last`. Velocity, events/s, is the change of the event rate
 * against the window before.
 */
export function windowFeatures(ring: StepRing, last: number, length: number): FeatureValues {
  let count = 0;
  let errors = 0;
  let latencySum = 0;
  let squareSum = 0;
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    if (slot < 0) continue;
    count += ring.count[slot] as number;
    errors += ring.errorCount[slot] as number;
    latencySum += ring.latencySum[slot] as number;
    squareSum += ring.latencySquareSum[slot] as number;
  }
  const latencies = mergeHistograms(ring, last, length, dense);
  const mean = latencySum / latencies;
  const before = countIn(ring, last - length, length);
  return Float64Array.of(
    count,
    errors / count,
    mean,
    upperQuantile(dense, latencies, 0.95),
    upperQuantile(dense, latencies, 0.99),
    latencies === 0 ? NaN : Math.sqrt(Math.max(0, squareSum / latencies - mean * mean)),
    distinctEndpoints(ring, last, length),
    (count - before) / ((length * SUB_WINDOW_MS) / 1000),
  );
}
