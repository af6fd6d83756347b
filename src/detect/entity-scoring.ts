import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Quiet, Regime, Signal, Stage } from '../model/anomaly.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { attribute } from './attribution.ts';
import { dispersionFor, isWhole, MIN_LEARNED_STEPS } from './baseline.ts';
import type { DetectConfig } from './config.ts';
import type { Entity } from './entity-state.ts';
import {
  amendEpisode,
  calmEpisode,
  closeEpisode,
  openEpisode,
  SIGNALS,
  worsenEpisode,
  type Episode,
  type Finding,
} from './episode.ts';
import { bestWindow, SIGNAL_TESTS, startOfDeviation } from './evidence-window.ts';
import { gatherEvidence } from './evidence.ts';
import { MAX_FROZEN_STEPS, skipLearning } from './entity-learning.ts';
import { firingHorizon, rememberEvidence, strongestEvidence, type FiringRule } from './firing-rule.ts';
import { voteOn } from './forest-voter.ts';
import { adoptNewNormal, proposalAt } from './new-normal.ts';
import { quietReason, rememberOccurrence } from './quiet-habit.ts';
import { effectInMinute, nextRegime, openingRegime, recordCourse } from './regime.ts';
import { anomalySeverity, scoreOf } from './severity.ts';
import { countSilence, silenceEvidence } from './silence.ts';
import {
  createHorizonSums,
  HORIZON_COUNT,
  residualAt,
  slotOf,
  sumHorizon,
  TEST_COUNT,
  TESTS,
  WINDOW_HORIZON,
} from './step-ring.ts';
import { busiestRate, settleTraffic, usesSeason } from './traffic-level.ts';
import { windowFeatures } from './window-features.ts';

/** What scoring needs beyond the entity. */
export interface ScoringContext {
  config: DetectConfig;
  /** Horizons in steps, shortest first. */
  lengths: readonly number[];
  /** Part of the fleet's expected traffic that this entity carries, 0..1. */
  trafficShare: number;
  /** Id of the newest change of a service shortly before a time, if there was one. */
  changeBefore: (service: string, startedMs: number) => string | null;
}

/** False alarms per service and day that the bars of the firing rule are set for. */
const USUAL_BUDGET = 0.05;
const STEPS_OF: Partial<Record<Signal, FiringRule['steps']>> = { latency: 'brief', traffic: 'doubtful' };
const CAUTION_YOUNG = 1.3;
const PATIENCE_YOUNG = 2;
const YOUNG_STEPS = 360;
const MULTIVARIATE_SPREADS = 6;
const MULTIVARIATE_RATIO = 0.5;
const DAY_STEPS = 8640;
const SETTLING_STEPS = 60;
/** A shift that a change of the service explains is left to a person for so long. */
const DECISION_MINUTES = 60;
const MINUTE_STEPS = 6;
/** Times the busiest that the service has served: beyond, more requests call although they are served well. */
const SERVED_RATIO = 3;
/** How far before its horizon the start of a deviation is looked for. */
const REACH_STEPS = 12;
const evidence = new Float64Array(HORIZON_COUNT * TEST_COUNT);
const bySignal = new Float64Array(HORIZON_COUNT);
const recentSums = createHorizonSums();

export function stageOf(entity: Entity): Stage {
  if (entity.model) return 'trained';
  return entity.state.baseline.learnedSteps >= YOUNG_STEPS ? 'baseline' : 'warming_up';
}

function isOngoing(entity: Entity, step: number, signal: Signal): boolean {
  const { ring } = entity.state;
  if (signal === 'multivariate') return true;
  if (signal === 'traffic') {
    const slot = slotOf(ring, step);
    return SIGNAL_TESTS.traffic.some((test) => {
      const index = TESTS.indexOf(test);
      return (ring.residuals[residualAt(slot, 0, index)] as number) > 1 && (evidence[TEST_COUNT + index] as number) > 0;
    });
  }
  sumHorizon(ring, step, 3, recentSums);
  const { errors, expectedErrors, slow95, expectedSlow95, slow99, expectedSlow99, slow999, expectedSlow999 } = recentSums;
  if (signal === 'error_rate') return errors > 1.5 * expectedErrors;
  return slow95 > 1.5 * expectedSlow95 || slow99 > 1.5 * expectedSlow99 || slow999 > 1.5 * expectedSlow999;
}

/** Strongest evidence of a signal by horizon. A horizon that reaches into an anomaly that is over opens no new one. */
function collect(entity: Entity, step: number, signal: Signal, lengths: readonly number[]): void {
  const { state } = entity;
  const silent = state.silence.run > 0;
  const isOpen = state.episodes[signal].open;
  for (let horizon = 0; horizon < HORIZON_COUNT; horizon++) {
    let strongest = 0;
    bySignal[horizon] = 0;
    if (!isOpen && horizon > 0 && step - (lengths[horizon] as number) + 1 < state.skipBefore) continue;
    for (const test of SIGNAL_TESTS[signal]) {
      strongest = Math.max(strongest, evidence[horizon * TEST_COUNT + TESTS.indexOf(test)] as number);
    }
    bySignal[horizon] = signal === 'traffic' && silent ? 0 : strongest;
  }
}

function voteForest(entity: Entity, step: number, context: ScoringContext): void {
  const { state, model } = entity;
  const longest = context.lengths[WINDOW_HORIZON] as number;
  // It learned one window a minute, and is asked as often: between them its word stands.
  const isDue = context.config.threshold !== 'auto' || (step + 1) % (context.lengths[1] as number) === 0;
  if (!isDue) return;
  state.forestEvidence = 0;
  state.rawScore = null;
  if (!model || !isWhole(state.ring, step, longest)) return;
  const verdict = voteOn(state.forest, model, windowFeatures(state.ring, step, longest), context.config.threshold);
  state.rawScore = verdict.score;
  state.forestEvidence = verdict.evidence;
}

/** The forest alone may fire only when no other signal does and some feature moved far: it has the most false alarms. */
function collectForest(entity: Entity, step: number, context: ScoringContext): void {
  const { state } = entity;
  bySignal.fill(0);
  const others = SIGNALS.some((signal) => signal !== 'multivariate' && state.episodes[signal].open);
  if (others || state.forestEvidence < 4) return;
  if (context.config.threshold === 'auto') {
    const minute = step - ((step + 1) % (context.lengths[1] as number));
    const moved = attribute(state.baseline, state.ring, minute, context.lengths[1] as number, 1, 'multivariate').some((entry) => {
      const width = Math.max(1e-9, (entry.high - entry.low) / 6);
      const far = Math.abs(entry.observed - entry.expected) / width >= MULTIVARIATE_SPREADS;
      return far && Math.abs(entry.observed - entry.expected) >= MULTIVARIATE_RATIO * Math.abs(entry.expected);
    });
    if (!moved) return;
  }
  bySignal[2] = state.forestEvidence;
}

function findingFor(
  entity: Entity,
  episode: Episode,
  step: number,
  signal: Signal,
  start: number,
  context: ScoringContext,
): Finding {
  const { baseline, ring, rawScore } = entity.state;
  const window = bestWindow(baseline, ring, step, start, signal, context.lengths);
  const attribution = attribute(baseline, ring, window.lastStep, window.length, window.horizon, signal);
  const severity = anomalySeverity(signal, attribution, context.trafficShare);
  return { evidence: strongestEvidence(episode.persistence), rawScore, attribution, severity, window };
}

function baselineOf(entity: Entity, startStep: number): Anomaly['baseline'] {
  const { baseline } = entity.state;
  const from = Math.max(baseline.firstStep, startStep - DAY_STEPS);
  const description = usesSeason(baseline.traffic, startStep)
    ? 'its own history of the day before, traffic by time of day over the days before'
    : `its own history of the ${Math.max(1, Math.round((startStep - from) / 6))} min before`;
  return { from: isoTime(from * SUB_WINDOW_MS), to: isoTime(startStep * SUB_WINDOW_MS), description };
}

function strengthOfSilence(entity: Entity): number {
  const { silence, baseline } = entity.state;
  const dispersion = dispersionFor(baseline, 2, 'traffic', silence.expected);
  return silenceEvidence(silence, dispersion, baseline.learnedSteps < YOUNG_STEPS ? PATIENCE_YOUNG : 1);
}

/** Steps of a silence, and the partial one that ends it, are no drop of traffic as well. */
function leaveToSilence(entity: Entity, step: number): void {
  const { ring, episodes, silence } = entity.state;
  const { open, startStep, firedStep } = episodes.silence;
  if (!open) return;
  for (let at = firedStep === step ? startStep : step; at <= step; at++) {
    const slot = slotOf(ring, at);
    const before = slotOf(ring, at - 1);
    const ended = before >= 0 && ring.count[before] === 0;
    if (slot >= 0 && (ring.count[slot] === 0 || (silence.run === 0 && ended))) ring.whole[slot] = 0;
  }
}

/** Horizon on which a signal that is quiet fires now, or -1. */
function firesOn(entity: Entity, step: number, signal: Signal, context: ScoringContext): number {
  if (signal === 'silence') return (bySignal[0] as number) > 0 ? 0 : -1;
  const { baseline, episodes } = entity.state;
  const caution = baseline.learnedSteps < YOUNG_STEPS ? CAUTION_YOUNG : 1;
  const ongoing = isOngoing(entity, step, signal);
  const easing = Math.log10(context.config.false_alarm_budget / USUAL_BUDGET);
  return firingHorizon(episodes[signal].persistence, { caution, easing, steps: STEPS_OF[signal] ?? 'certain', ongoing });
}

function startOf(entity: Entity, step: number, signal: Signal, length: number): number {
  const { ring, silence } = entity.state;
  if (signal === 'silence') return step - silence.run + 1;
  const deviation = startOfDeviation(ring, step, signal, length + REACH_STEPS);
  return deviation < 0 ? step - length + 1 : deviation;
}

/**
 * Why an anomaly calls nobody. More requests hurt nobody while they are served as well as ever and are no more than the service has
 * served on busy hours before; symptoms call, not load (Beyer et al., "Site Reliability Engineering", 2016, chapter 6).
 */
function quietOf(entity: Entity, step: number, anomaly: Anomaly): Quiet | null {
  const { ring, habits, episodes, baseline } = entity.state;
  if (anomaly.signal === 'traffic' && !episodes.error_rate.open && !episodes.latency.open) {
    sumHorizon(ring, step, MINUTE_STEPS, recentSums);
    const { traffic, trafficSteps, mostTraffic } = recentSums;
    const busiest = Math.max(mostTraffic, trafficSteps * busiestRate(baseline.traffic));
    if (traffic > mostTraffic && traffic <= SERVED_RATIO * busiest) {
      return {
        since: anomaly.quiet?.since ?? isoTime((step + 1) * SUB_WINDOW_MS),
        reason: 'more requests, served as well as usual',
      };
    }
  }
  return quietReason(habits[anomaly.signal], anomaly, step);
}

function open(entity: Entity, step: number, signal: Signal, horizon: number, context: ScoringContext): Anomaly {
  const episode = entity.state.episodes[signal];
  const startStep = startOf(entity, step, signal, context.lengths[horizon] as number);
  const finding = findingFor(entity, episode, step, signal, startStep, context);
  const opening = {
    service: entity.state.id,
    signal,
    step,
    startStep,
    horizon,
    stage: stageOf(entity),
    score: scoreOf(finding.evidence),
    baseline: baselineOf(entity, startStep),
    regime: openingRegime(entity.state.ring, step, signal),
  };
  openEpisode(episode, opening, finding);
  amendEpisode(episode, { quiet: quietOf(entity, step, episode.anomaly as Anomaly) });
  return episode.anomaly as Anomaly;
}

/** Traffic that stays at another level for half an hour has found it: from now on it is compared with that. */
function settle(entity: Entity, step: number): void {
  const { ring, baseline } = entity.state;
  sumHorizon(ring, step, SETTLING_STEPS, recentSums);
  const { traffic, trafficSteps } = recentSums;
  if (trafficSteps < SETTLING_STEPS / 2 || traffic === 0) return;
  settleTraffic(baseline.traffic, step, traffic / trafficSteps);
}

/** Once a minute: what an open anomaly has become, beside how bad it is. Returns whether that is another than before. */
function follow(entity: Entity, step: number, signal: Signal, context: ScoringContext): boolean {
  const { ring, id } = entity.state;
  const episode = entity.state.episodes[signal];
  const anomaly = episode.anomaly as Anomaly;
  recordCourse(episode.course, effectInMinute(ring, step, signal));
  const regime = nextRegime(anomaly.regime as Regime, episode.course);
  const changed = amendEpisode(episode, { regime });
  const deploy = context.changeBefore(id, Date.parse(anomaly.startedAt));
  const isSettled = regime === 'shift' && episode.course.minutes >= (deploy === null ? 0 : DECISION_MINUTES);
  if (signal === 'traffic' && isSettled && anomaly.newNormal?.state !== 'rejected') settle(entity, step);
  const proposal = proposalAt(episode, step, deploy);
  const proposes = proposal !== null && amendEpisode(episode, { newNormal: proposal });
  // What has called once goes on calling: only quiet ends early.
  const wakes = anomaly.quiet ? amendEpisode(episode, { quiet: quietOf(entity, step, anomaly) }) : false;
  return changed || proposes || wakes;
}

/** A level that has been called abnormal for a day, and that nobody rejected, is the level: it is taken over whole, so that it calls once. */
function hasBecomeUsual(episode: Episode, step: number, signal: Signal): boolean {
  if (signal === 'silence' || signal === 'multivariate' || episode.anomaly?.newNormal?.state === 'rejected') return false;
  return step - episode.firedStep >= MAX_FROZEN_STEPS;
}

function runSignal(entity: Entity, step: number, signal: Signal, context: ScoringContext): Anomaly | undefined {
  const { state } = entity;
  const episode = state.episodes[signal];
  rememberEvidence(episode.persistence, bySignal);
  if (!episode.open) {
    const horizon = firesOn(entity, step, signal, context);
    return horizon < 0 ? undefined : open(entity, step, signal, horizon, context);
  }
  const resolved = calmEpisode(episode, step);
  if (resolved) {
    skipLearning(state, Date.parse(resolved.resolvedAt as string) / SUB_WINDOW_MS);
    rememberOccurrence(state.habits[signal], resolved);
    return resolved;
  }
  if (hasBecomeUsual(episode, step, signal)) {
    adoptNewNormal(entity, signal, episode.startStep, step);
    return closeEpisode(episode, step + 1);
  }
  const minuteEnds = (step + 1) % (context.lengths[1] as number) === 0;
  if (!minuteEnds || episode.calmSteps > 0 || episode.muted) return undefined;
  const finding = findingFor(entity, episode, step, signal, episode.startStep, context);
  const worse = worsenEpisode(episode, finding, scoreOf(finding.evidence));
  const other = follow(entity, step, signal, context);
  return worse || other ? (episode.anomaly ?? undefined) : undefined;
}

/** Scores one closed step of an entity and moves its episodes; returns the anomalies that changed. */
export function scoreEntity(entity: Entity, step: number, context: ScoringContext): Anomaly[] {
  const { state } = entity;
  const { ring, baseline, silence } = state;
  const slot = slotOf(ring, step);
  if (slot < 0 || baseline.learnedSteps < MIN_LEARNED_STEPS) return [];
  countSilence(silence, ring.count[slot] as number, ring.expectedCount[slot] as number, ring.whole[slot] === 1);
  voteForest(entity, step, context);
  const changed: Anomaly[] = [];
  for (const signal of SIGNALS) {
    if (signal === 'multivariate') collectForest(entity, step, context);
    else if (signal === 'silence') {
      bySignal.fill(strengthOfSilence(entity));
    } else collect(entity, step, signal, context.lengths);
    const anomaly = runSignal(entity, step, signal, context);
    if (anomaly) changed.push(anomaly);
    if (signal !== 'silence') continue;
    leaveToSilence(entity, step);
    gatherEvidence(baseline, ring, step, context.lengths, evidence);
  }
  return changed;
}
