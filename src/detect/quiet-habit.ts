import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Quiet, Severity } from '../model/anomaly.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { effectRatio } from './anomaly-summary.ts';

/** One earlier anomaly of an entity and signal. */
interface Occurrence {
  startStep: number;
  endStep: number;
  ratio: number;
  severity: Severity;
}

/** The earlier anomalies of one entity and signal, oldest first. Plain data, bounded. */
export type Habit = Occurrence[];

const MAX_OCCURRENCES = 32;
const DAY_STEPS = 8640;
const HOUR_STEPS = 360;
/** Several on one day are one trouble and not a habit: that takes a few days of the week before. */
const WITHIN_DAYS = 7;
const ON_DAYS = 3;
const MAX_COINCIDENCE = 0.01;
/** At any time of day, that many a day. */
const OFTEN = 8;
/** No worse: up to half as much again as the usual effect, and twice as long as the longest. */
const WORSE_RATIO = 1.5;
const WORSE_LENGTH = 2;
const ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

const stepOf = (time: string): number => Date.parse(time) / SUB_WINDOW_MS;

/** Remembers an anomaly that is over. */
export function rememberOccurrence(habit: Habit, anomaly: Anomaly): void {
  const { startedAt, resolvedAt, severity } = anomaly;
  habit.push({ startStep: stepOf(startedAt), endStep: stepOf(resolvedAt as string), ratio: effectRatio(anomaly), severity });
  if (habit.length > MAX_OCCURRENCES) habit.shift();
}

function isWorse(usual: Habit, anomaly: Anomaly, step: number): boolean {
  if (anomaly.severity === 'critical') return true;
  const ratios = usual.map(({ ratio }) => ratio).toSorted((a, b) => a - b);
  if (effectRatio(anomaly) > WORSE_RATIO * (ratios[ratios.length >> 1] as number)) return true;
  const gravest = Math.max(...usual.map(({ severity }) => ORDER.indexOf(severity)));
  if (ORDER.indexOf(anomaly.severity) > gravest) return true;
  const longest = Math.max(...usual.map(({ startStep, endStep }) => endStep - startStep));
  return step - stepOf(anomaly.startedAt) > WORSE_LENGTH * longest;
}

/** Whole days from an earlier start to this one; 0 within the same half day. */
const daysBetween = (earlier: number, start: number): number => Math.round((start - earlier) / DAY_STEPS);

const distinctDays = (occurrences: Habit, start: number): number =>
  new Set(occurrences.map(({ startStep }) => daysBetween(startStep, start)).filter((days) => days > 0)).size;

/** Chance that something which comes `perDay` times a day at any time comes near one time of day on `days` or more of the days before. */
function coincidence(perDay: number, days: number): number {
  const daily = -Math.expm1((-perDay * 2 * HOUR_STEPS) / DAY_STEPS);
  let chance = 0;
  let choose = 1;
  for (let k = 0; k <= WITHIN_DAYS; k++) {
    if (k >= days) chance += choose * daily ** k * (1 - daily) ** (WITHIN_DAYS - k);
    choose = (choose * (WITHIN_DAYS - k)) / (k + 1);
  }
  return chance;
}

/** Days before on which there were so many that one more is no news. */
function busyDays(occurrences: Habit, start: number): number {
  const byDay = Map.groupBy(occurrences, ({ startStep }) => Math.floor((start - startStep) / DAY_STEPS));
  return [...byDay.values()].filter((ofDay) => ofDay.length >= OFTEN).length;
}

/**
 * Why an anomaly, as it is at `step`, calls nobody: it came at this time of day on several days of the week before, more than its
 * frequency explains, or all the time on several days, and is no worse now. Null when it must call.
 */
export function quietReason(habit: Habit, anomaly: Anomaly, step: number): Quiet | null {
  const start = stepOf(anomaly.startedAt);
  const recent = habit.filter(({ startStep }) => start - startStep <= (WITHIN_DAYS + 0.5) * DAY_STEPS);
  const sameHour = recent.filter(({ startStep }) => {
    const days = daysBetween(startStep, start);
    return days > 0 && Math.abs(start - startStep - days * DAY_STEPS) <= HOUR_STEPS;
  });
  const since = anomaly.quiet?.since ?? isoTime((step + 1) * SUB_WINDOW_MS);
  const days = distinctDays(sameHour, start);
  const isRegular = days >= ON_DAYS && coincidence(recent.length / WITHIN_DAYS, days) < MAX_COINCIDENCE;
  if (isRegular && !isWorse(sameHour, anomaly, step)) {
    return { since, reason: `it came at this time on ${days} of the last ${WITHIN_DAYS} days and is no worse` };
  }
  if (busyDays(recent, start) < ON_DAYS || isWorse(recent, anomaly, step)) return null;
  return { since, reason: `it came ${recent.length} times in the last ${WITHIN_DAYS} days and is no worse` };
}
