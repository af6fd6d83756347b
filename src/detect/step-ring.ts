import { HISTOGRAM_BUCKETS } from '../model/histogram.ts';
import type { SparseHistogram } from './sub-window.ts';

/** What is tested: errors up, latency beyond the baseline's p95, p99 and p99.9, traffic up and down. */
export const TESTS = ['errors', 'slow95', 'slow99', 'slow999', 'rise', 'drop'] as const;
export type TestName = (typeof TESTS)[number];
export const TEST_COUNT = TESTS.length;
export const HORIZON_COUNT = 4;
/** The horizon that is window_size long, of which features are taken; the one after it is for what burns slowly. */
export const WINDOW_HORIZON = 2;

/**
 * The closed sub-windows of one entity, newest window_size and more: what happened beside what was expected then.
 * Slot = step index modulo size; a slot whose `index` is another step's holds nothing (a gap, or not yet seen).
 */
export interface StepRing {
  size: number;
  index: Float64Array;
  count: Uint32Array;
  errorCount: Uint32Array;
  latencyCount: Uint32Array;
  latencySum: Float64Array;
  latencySquareSum: Float64Array;
  slow95: Uint32Array;
  slow99: Uint32Array;
  slow999: Uint32Array;
  /** 1 when a baseline was there to compare with. */
  scored: Uint8Array;
  /** 1 when the step's traffic is whole: neither in nor beside a gap of the whole stream. */
  whole: Uint8Array;
  expectedCount: Float64Array;
  expectedErrors: Float64Array;
  expectedSlow95: Float64Array;
  expectedSlow99: Float64Array;
  expectedSlow999: Float64Array;
  /** Traffic that needs no explanation: between what the level says and what earlier days had at this time. */
  leastCount: Float64Array;
  mostCount: Float64Array;
  /** Residuals by step, horizon and test; NaN where none was computed. */
  residuals: Float32Array;
  histograms: (SparseHistogram | null)[];
  endpoints: (Uint32Array | null)[];
}

/** `steps` is how far back anything may look; the size is the next power of two. */
export function createStepRing(steps: number): StepRing {
  let size = 16;
  while (size < steps) size *= 2;
  return {
    size,
    index: new Float64Array(size).fill(-1),
    count: new Uint32Array(size),
    errorCount: new Uint32Array(size),
    latencyCount: new Uint32Array(size),
    latencySum: new Float64Array(size),
    latencySquareSum: new Float64Array(size),
    slow95: new Uint32Array(size),
    slow99: new Uint32Array(size),
    slow999: new Uint32Array(size),
    scored: new Uint8Array(size),
    whole: new Uint8Array(size),
    expectedCount: new Float64Array(size),
    expectedErrors: new Float64Array(size),
    expectedSlow95: new Float64Array(size),
    expectedSlow99: new Float64Array(size),
    expectedSlow999: new Float64Array(size),
    leastCount: new Float64Array(size),
    mostCount: new Float64Array(size),
    residuals: new Float32Array(size * HORIZON_COUNT * TEST_COUNT).fill(NaN),
    histograms: Array.from({ length: size }, () => null),
    endpoints: Array.from({ length: size }, () => null),
  };
}

/** Slot of a step, or -1 when the ring does not hold it. */
export function slotOf(ring: StepRing, step: number): number {
  const slot = ((step % ring.size) + ring.size) % ring.size;
  return ring.index[slot] === step ? slot : -1;
}

/** Sums over scored steps of a stretch. Traffic sums cover only its whole steps. */
export interface HorizonSums {
  steps: number;
  count: number;
  errors: number;
  expectedErrors: number;
  latencies: number;
  slow95: number;
  expectedSlow95: number;
  slow99: number;
  expectedSlow99: number;
  slow999: number;
  expectedSlow999: number;
  trafficSteps: number;
  traffic: number;
  expectedTraffic: number;
  leastTraffic: number;
  mostTraffic: number;
}

export function createHorizonSums(): HorizonSums {
  return {
    steps: 0,
    count: 0,
    errors: 0,
    expectedErrors: 0,
    latencies: 0,
    slow95: 0,
    expectedSlow95: 0,
    slow99: 0,
    expectedSlow99: 0,
    slow999: 0,
    expectedSlow999: 0,
    trafficSteps: 0,
    traffic: 0,
    expectedTraffic: 0,
    leastTraffic: 0,
    mostTraffic: 0,
  };
}

/** Sums steps (last - length, last] into `sums`, which is overwritten. */
export function sumHorizon(ring: StepRing, last: number, length: number, sums: HorizonSums): void {
  Object.assign(sums, ZERO);
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    if (slot < 0 || ring.scored[slot] === 0) continue;
    const count = ring.count[slot] as number;
    sums.steps++;
    sums.count += count;
    sums.errors += ring.errorCount[slot] as number;
    sums.expectedErrors += ring.expectedErrors[slot] as number;
    sums.latencies += ring.latencyCount[slot] as number;
    sums.slow95 += ring.slow95[slot] as number;
    sums.expectedSlow95 += ring.expectedSlow95[slot] as number;
    sums.slow99 += ring.slow99[slot] as number;
    sums.expectedSlow99 += ring.expectedSlow99[slot] as number;
    sums.slow999 += ring.slow999[slot] as number;
    sums.expectedSlow999 += ring.expectedSlow999[slot] as number;
    if (ring.whole[slot] === 0) continue;
    sums.trafficSteps++;
    sums.traffic += count;
    sums.expectedTraffic += ring.expectedCount[slot] as number;
    sums.leastTraffic += ring.leastCount[slot] as number;
    sums.mostTraffic += ring.mostCount[slot] as number;
  }
}

const ZERO = createHorizonSums();

/** Adds the latency histograms of steps (last - length, last] into `dense`, which is cleared first; returns the total. */
export function mergeHistograms(ring: StepRing, last: number, length: number, dense: Uint32Array): number {
  dense.fill(0);
  let total = 0;
  for (let step = last - length + 1; step <= last; step++) {
    const slot = slotOf(ring, step);
    const sparse = slot < 0 ? null : ring.histograms[slot];
    if (!sparse) continue;
    const { buckets, counts } = sparse;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i] as number;
      dense[bucket] = (dense[bucket] as number) + (counts[i] as number);
    }
    total += ring.latencyCount[slot] as number;
  }
  return total;
}

export function createDenseHistogram(): Uint32Array {
  return new Uint32Array(HISTOGRAM_BUCKETS);
}

/** Position of a residual in `ring.residuals`. */
export function residualAt(slot: number, horizon: number, test: number): number {
  return (slot * HORIZON_COUNT + horizon) * TEST_COUNT + test;
}
