import type { Regime } from '../../model/anomaly.ts';

/** The signed residuals of what deviates most in an episode, thinned by halves as it grows long. Plain data, at most `MAX_VALUES` values. */
export interface ResidualCourse {
  values: number[];
  /** Ticks that a value stands for, and those that wait for it. */
  stride: number;
  waitingSum: number;
  waiting: number;
  ticks: number;
}

/** How an episode runs, and whether it is a shift that has settled: the new normal, for a person to accept or reject. */
export interface CourseVerdict {
  regime: Regime;
  isNewNormal: boolean;
}

const MAX_VALUES = 32;
const LASTING_MS = 30 * 60_000;
const LASTING_TICKS = 6;
/** A shift twice as long as one that lasts may be the new normal. */
const SETTLED = 2;
const TREND_SIGMAS = 3;
/** A trend that moves the level by less than this part of it, from the first quarter to the last, is a level. */
const LEAST_TREND = 0.4;

export function createResidualCourse(): ResidualCourse {
  return { values: [], stride: 1, waitingSum: 0, waiting: 0, ticks: 0 };
}

/** Adds a tick of the episode. */
export function addResidual(course: ResidualCourse, residual: number): void {
  course.ticks++;
  course.waitingSum += residual;
  if (++course.waiting < course.stride) return;
  course.values.push(course.waitingSum / course.waiting);
  course.waitingSum = 0;
  course.waiting = 0;
  if (course.values.length < MAX_VALUES) return;
  const { values } = course;
  course.values = Array.from(
    { length: MAX_VALUES / 2 },
    (_, i) => ((values[2 * i] as number) + (values[2 * i + 1] as number)) / 2,
  );
  course.stride *= 2;
}

/**
 * Tells spike, drop, shift and drift apart. What has not lasted is a spike or a drop; what lasts is a drift when its size has a
 * trend (Mann, "Nonparametric tests against trend", Econometrica 1945) that matters, else a shift.
 */
export function judgeCourse(course: ResidualCourse, stepMs: number): CourseVerdict {
  const { values, ticks } = course;
  const level = mean(values, 0, values.length);
  const lasting = Math.max(LASTING_TICKS, LASTING_MS / stepMs);
  if (ticks < lasting) return { regime: level < 0 ? 'drop' : 'spike', isNewNormal: false };
  const quarter = Math.max(1, values.length >> 2);
  const last = mean(values, values.length - quarter, values.length);
  const change = Math.abs(last - mean(values, 0, quarter)) / Math.max(Math.abs(level), 1e-9);
  const hasTrend = change >= LEAST_TREND && Math.abs(trendSigmas(values)) >= TREND_SIGMAS;
  return { regime: hasTrend ? 'drift' : 'shift', isNewNormal: !hasTrend && ticks >= SETTLED * lasting };
}

function mean(values: readonly number[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] as number;
  return to > from ? sum / (to - from) : 0;
}

/** Mann-Kendall statistic in standard deviations. */
function trendSigmas(values: readonly number[]): number {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) sum += Math.sign((values[j] as number) - (values[i] as number));
  }
  return sum / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
}
