import { isWhole, learnStep, STEPS_PER_MINUTE } from './baseline.ts';
import { recordMovement } from './co-movement.ts';
import type { DetectConfig } from './config.ts';
import type { Entity, EntityState } from './entity-state.ts';
import { SIGNALS } from './episode.ts';
import { learnVote, learnWindow } from './forest-voter.ts';
import { learnSilence } from './silence.ts';
import { createHorizonSums, slotOf, sumHorizon, WINDOW_HORIZON } from './step-ring.ts';
import { windowFeatures } from './window-features.ts';

/** Steps are learned this long after they closed, so that the run-up to an anomaly is not; sooner while history is short. */
const DELAY_STEPS = 18;
const YOUNG_DELAY_STEPS = 2;
const YOUNG_STEPS = 90;
/** An anomaly that is still open after a day is learned, unless a person has said that it is not the new normal. */
export const MAX_FROZEN_STEPS = 8640;
/** Steps just before and after an anomaly are left out too. */
const MARGIN_STEPS = 2;

export const RING_REACH_STEPS = DELAY_STEPS + 8;
const sums = createHorizonSums();

function isFrozen(state: EntityState, step: number): boolean {
  for (const signal of SIGNALS) {
    const episode = state.episodes[signal];
    if (!episode.open || step < episode.startStep - MARGIN_STEPS) continue;
    const isRejected = episode.anomaly?.newNormal?.state === 'rejected';
    if (isRejected || step - episode.firedStep < MAX_FROZEN_STEPS) return true;
  }
  return false;
}

function learnOne(entity: Entity, step: number, lengths: readonly number[], config: DetectConfig): void {
  const { state } = entity;
  const { ring } = state;
  const slot = slotOf(ring, step);
  learnStep(state.baseline, ring, step, lengths);
  if (ring.whole[slot] === 1) {
    state.emptyRun = ring.count[slot] === 0 ? state.emptyRun + 1 : 0;
    learnSilence(state.silence, state.emptyRun);
  }
  if ((step + 1) % STEPS_PER_MINUTE === 0) {
    sumHorizon(ring, step, STEPS_PER_MINUTE, sums);
    const { trafficSteps, traffic, expectedTraffic } = sums;
    if (trafficSteps === STEPS_PER_MINUTE) {
      recordMovement(state.movement, (step + 1) / STEPS_PER_MINUTE, traffic, expectedTraffic);
    }
  }
  const longest = lengths[WINDOW_HORIZON] as number;
  if ((step + 1) % STEPS_PER_MINUTE !== 0 || !isWhole(ring, step, longest)) return;
  // The window is longer than the margin after an anomaly: while it reaches back into one, no model may learn it.
  if (step - longest + 1 < state.skipBefore) return;
  const values = windowFeatures(ring, step, longest);
  learnWindow(state.forest, step, values, config.features);
  if (entity.model && (step + 1) % longest === 0) learnVote(state.forest, entity.model, values);
}

/** Learns every step that is old enough, up to `step`, but those of the entity's own anomalies. */
export function learnEntity(entity: Entity, step: number, lengths: readonly number[], config: DetectConfig): void {
  const { state } = entity;
  const delay = state.baseline.learnedSteps < YOUNG_STEPS ? YOUNG_DELAY_STEPS : DELAY_STEPS;
  if (state.learnNext < 0) state.learnNext = state.firstStep;
  state.learnNext = Math.max(state.learnNext, step - state.ring.size + 1);
  for (; state.learnNext <= step - delay; state.learnNext++) {
    const next = state.learnNext;
    const held = slotOf(state.ring, next) >= 0;
    if (!held) state.emptyRun = 0;
    if (held && next >= state.skipBefore && !isFrozen(state, next)) learnOne(entity, next, lengths, config);
  }
}

/** Leaves the steps up to the end of an anomaly out of learning for good. */
export function skipLearning(state: EntityState, endStep: number): void {
  state.skipBefore = Math.max(state.skipBefore, endStep + MARGIN_STEPS);
}
