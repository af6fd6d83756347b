import type { Regime, Signal } from '../model/anomaly.ts';
import { createHorizonSums, sumHorizon, type StepRing } from './step-ring.ts';

/**
 * How the effect of an open anomaly runs: the log of observed over expected, once a minute, thinned by halves as it grows
 * long. A trend is tested by Mann-Kendall (Mann, "Nonparametric tests against trend", Econometrica 13, 1945) and sized by the
 * Theil-Sen slope (Sen, JASA 63, 1968).
 */
export interface Course {
  values: number[];
  /** Minutes that one value stands for, and those that wait for it. */
  stride: number;
  pendingSum: number;
  pendingCount: number;
  minutes: number;
}

const MAX_VALUES = 32;
const MINUTE_STEPS = 6;
const SHIFT_MINUTES = 30;
const RUN_UP_MINUTES = 10;
const MIN_TREND_VALUES = 7;
const TREND_SIGMAS = 3;
/** A trend that makes less than half of the effect again is a level. */
const MIN_TREND = Math.log(1.5);
const sums = createHorizonSums();

export function createCourse(): Course {
  return { values: [], stride: 1, pendingSum: 0, pendingCount: 0, minutes: 0 };
}

export function recordCourse(course: Course, value: number): void {
  course.minutes++;
  course.pendingSum += value;
  if (++course.pendingCount < course.stride) return;
  course.values.push(course.pendingSum / course.pendingCount);
  course.pendingSum = course.pendingCount = 0;
  if (course.values.length < MAX_VALUES) return;
  const halves: number[] = [];
  for (let i = 0; i < MAX_VALUES; i += 2) halves.push(((course.values[i] as number) + (course.values[i + 1] as number)) / 2);
  course.values = halves;
  course.stride *= 2;
}

/** Log of observed over expected in the minute that ends with `step`; 0 when nothing was compared. */
export function effectInMinute(ring: StepRing, step: number, signal: Signal): number {
  sumHorizon(ring, step, MINUTE_STEPS, sums);
  const { steps, errors, expectedErrors, slow95, expectedSlow95, traffic, expectedTraffic } = sums;
  if (steps === 0 || signal === 'multivariate') return 0;
  if (signal === 'error_rate') return Math.log((errors + 0.5) / (expectedErrors + 0.5));
  if (signal === 'latency') return Math.log((slow95 + 0.5) / (expectedSlow95 + 0.5));
  return Math.log((traffic + 0.5) / (expectedTraffic + 0.5));
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Whether values move away from 0 for good: a trend beyond chance, and worth its name. */
export function hasTrend(values: readonly number[]): boolean {
  const count = values.length;
  if (count < MIN_TREND_VALUES) return false;
  let concordance = 0;
  const slopes: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const rise = (values[j] as number) - (values[i] as number);
      concordance += Math.sign(rise);
      slopes.push(rise / (j - i));
    }
  }
  const sigma = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  if (Math.abs(concordance) - 1 < TREND_SIGMAS * sigma) return false;
  const moved = medianOf(slopes) * (count - 1);
  return Math.abs(moved) >= MIN_TREND && Math.sign(moved) === Math.sign(values.at(-1) as number);
}

/** Regime of an anomaly that opens with `step`: a drift when the minutes before already led there one after the other. */
export function openingRegime(ring: StepRing, step: number, signal: Signal): Regime {
  const runUp: number[] = [];
  for (let age = RUN_UP_MINUTES - 1; age >= 0; age--) runUp.push(effectInMinute(ring, step - age * MINUTE_STEPS, signal));
  if (hasTrend(runUp)) return 'drift';
  return (runUp.at(-1) as number) < 0 || signal === 'silence' ? 'drop' : 'spike';
}

/** Regime of an open anomaly after one more minute. */
export function nextRegime(previous: Regime, course: Course): Regime {
  const recent = course.values.slice(-MAX_VALUES / 2);
  if (hasTrend(recent)) return 'drift';
  return course.minutes >= SHIFT_MINUTES ? 'shift' : previous;
}
