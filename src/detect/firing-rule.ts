import { HORIZON_COUNT } from './step-ring.ts';

/**
 * Persistence: how many steps the evidence of a signal must last before it fires, the fewer the stronger it is. Budget: the
 * weakest way in is about 1e-9 per step on independent steps, so that even correlated ones stay far below one false alarm
 * per service and month.
 */
export interface Persistence {
  /** Evidence of the last `MEMORY` steps by horizon, newest first. */
  recent: Float64Array;
}

const MEMORY = 15;
const MINUTE_STEPS = 6;
const AT_ONCE = { certain: 7, brief: 10 } as const;
const IN_TWO = { each: 3, sum: 7.5 } as const;
const IN_FOUR = { each: 2.7, sum: 8, hits: 3 } as const;
const IN_MINUTES = { each: 2.2, sum: 8.5, minutes: 3, longest: 2.5 } as const;
const MINUTE_SUPPORT = 3.5;
const MINUTE = 5.5;
const LONGEST = 5.5;
/** The half hour, looked at once a minute. */
const SLOW = 5.5;
const SLOW_MINUTES = 3;

export function createPersistence(): Persistence {
  return { recent: new Float64Array(MEMORY * HORIZON_COUNT) };
}

export function rememberEvidence(state: Persistence, evidence: ArrayLike<number>): void {
  state.recent.copyWithin(HORIZON_COUNT, 0);
  for (let horizon = 0; horizon < HORIZON_COUNT; horizon++) state.recent[horizon] = evidence[horizon] as number;
}

const at = (state: Persistence, age: number, horizon: number): number =>
  age < MEMORY ? (state.recent[age * HORIZON_COUNT + horizon] as number) : 0;

function hits(state: Persistence, horizon: number, steps: number, least: number): number {
  let count = 0;
  for (let age = 0; age < steps; age++) if (at(state, age, horizon) >= least) count++;
  return count;
}

/** Moderate evidence in each of several minutes that do not overlap, and in the longest window as a whole. */
function lastsMinutes(state: Persistence, caution: number, easing: number): boolean {
  let sum = 0;
  for (let minute = 0; minute < IN_MINUTES.minutes; minute++) {
    const evidence = at(state, minute * MINUTE_STEPS, 1);
    if (evidence < IN_MINUTES.each) return false;
    sum += evidence;
  }
  return sum >= IN_MINUTES.sum * caution - easing && at(state, 0, 2) >= IN_MINUTES.longest;
}

function burnsSlowly(state: Persistence, bar: number): boolean {
  for (let minute = 0; minute < SLOW_MINUTES; minute++) if (at(state, minute * MINUTE_STEPS, 3) < bar) return false;
  return true;
}

export interface FiringRule {
  /** At least 1: raises every bar while the baseline is young. */
  caution: number;
  /** log10 of how many times the usual false alarms are acceptable: lowers every bar. */
  easing: number;
  /**
   * What the newest steps may do alone. `certain`: one is enough. `brief`: a short pause looks the same, and one must be
   * overwhelming. `doubtful`: events may yet arrive, and there is no verdict on less than three.
   */
  steps: 'certain' | 'brief' | 'doubtful';
  /** Whether the newest steps still deviate. */
  ongoing: boolean;
}

/** Horizon (0 the shortest) whose evidence meets the rule now, or -1. */
export function firingHorizon(state: Persistence, { caution, easing, steps, ongoing }: FiringRule): number {
  const barOf = (bar: number): number => bar * caution - easing;
  const now = at(state, 0, 0);
  const minute = at(state, 0, 1);
  if (steps !== 'doubtful' && now >= barOf(AT_ONCE[steps])) return 0;
  const pair = now + at(state, 1, 0);
  const supported = minute >= barOf(MINUTE_SUPPORT);
  if (steps !== 'doubtful' && supported && hits(state, 0, 2, IN_TWO.each) === 2 && pair >= barOf(IN_TWO.sum)) return 0;
  let four = 0;
  for (let age = 0; age < 4; age++) four += at(state, age, 0);
  if (supported && now > 0 && hits(state, 0, 4, IN_FOUR.each) >= IN_FOUR.hits && four >= barOf(IN_FOUR.sum)) return 0;
  if (!ongoing) return -1;
  if (minute >= barOf(MINUTE) && hits(state, 1, 3, barOf(MINUTE)) >= 2) return 1;
  if (lastsMinutes(state, caution, easing)) return 1;
  if (at(state, 0, 2) >= barOf(LONGEST) && hits(state, 2, 3, barOf(LONGEST)) >= 2) return 2;
  return burnsSlowly(state, barOf(SLOW)) ? 3 : -1;
}

/** Strongest evidence remembered, any horizon. */
export function strongestEvidence(state: Persistence): number {
  return Math.max(...state.recent);
}

/** Whether the newest step is quiet enough to count towards recovery of an anomaly that fired on `horizon`. */
export function isCalm(state: Persistence, horizon: number): boolean {
  return at(state, 0, 0) < 2 && at(state, 0, 1) < 3 && (horizon < 2 || at(state, 0, 2) < 4);
}
