import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Quiet, Severity } from '../model/anomaly.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { effectRatio } from './anomaly-summary.ts';

/** One earlier anomaly of an entity and signal. */
interface Occurrence {
  endStep: number;
  steps: number;
  ratio: number;
  severity: Severity;
}

/** The earlier anomalies of one entity and signal, newest last. Plain data, bounded. */
export type Habit = Occurrence[];

const MAX_OCCURRENCES = 12;
const DAY_STEPS = 8640;
/** That often within a day is a habit: whoever was called for it five times knows it. */
const FREQUENT = 5;
/** No worse: up to half as much again as the usual effect, and twice as long as the longest. */
const WORSE_RATIO = 1.5;
const WORSE_STEPS = 2;
const ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

const usual = (habit: Habit, step: number): Habit => habit.filter(({ endStep }) => step - endStep <= DAY_STEPS);

/** Remembers an anomaly that is over. */
export function rememberOccurrence(habit: Habit, anomaly: Anomaly): void {
  const startStep = Date.parse(anomaly.startedAt) / SUB_WINDOW_MS;
  const endStep = Date.parse(anomaly.resolvedAt as string) / SUB_WINDOW_MS;
  habit.push({ endStep, steps: endStep - startStep, ratio: effectRatio(anomaly), severity: anomaly.severity });
  if (habit.length > MAX_OCCURRENCES) habit.shift();
}

function isWorse(recent: Habit, anomaly: Anomaly, step: number): boolean {
  if (anomaly.severity === 'critical') return true;
  const ratios = recent.map(({ ratio }) => ratio).toSorted((a, b) => a - b);
  if (effectRatio(anomaly) > WORSE_RATIO * (ratios[ratios.length >> 1] as number)) return true;
  const grave = Math.max(...recent.map(({ severity }) => ORDER.indexOf(severity)));
  if (ORDER.indexOf(anomaly.severity) > grave) return true;
  const longest = Math.max(...recent.map(({ steps }) => steps));
  return step - Date.parse(anomaly.startedAt) / SUB_WINDOW_MS > WORSE_STEPS * longest;
}

/** Why an anomaly, as it is at `step`, calls nobody: it came often within the last day and is no worse; null when it must. */
export function quietReason(habit: Habit, anomaly: Anomaly, step: number): Quiet | null {
  const recent = usual(habit, step);
  if (recent.length < FREQUENT || isWorse(recent, anomaly, step)) return null;
  const reason = `at least ${recent.length} times within the last day, and no worse this time`;
  return { since: anomaly.quiet?.since ?? isoTime((step + 1) * SUB_WINDOW_MS), reason };
}
