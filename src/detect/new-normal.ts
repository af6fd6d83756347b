import { isoTime } from '../lib/clock.ts';
import type { NewNormal, Signal } from '../model/anomaly.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { createBaseline, dispersionFor, type Baseline } from './baseline.ts';
import type { Entity } from './entity-state.ts';
import type { Episode } from './episode.ts';
import { learnErrors } from './error-baseline.ts';
import { createForestVoter } from './forest-voter.ts';
import { learnLatency } from './latency-baseline.ts';
import { createSilence } from './silence.ts';
import { slotOf, type StepRing } from './step-ring.ts';
import { learnTraffic } from './traffic-level.ts';

/** A shift is proposed as the new normal after an hour, after half of one when a change of the service came just before. */
const PROPOSE_STEPS = 360;
const PROPOSE_AFTER_CHANGE_STEPS = 180;

/** The proposal that an open anomaly makes at `step`; null while it is no shift, is too young, or has made one. */
export function proposalAt(episode: Episode, step: number, deploy: string | null): NewNormal | null {
  const { anomaly, startStep } = episode;
  if (!anomaly || anomaly.regime !== 'shift' || anomaly.newNormal) return null;
  if (step - startStep < (deploy === null ? PROPOSE_STEPS : PROPOSE_AFTER_CHANGE_STEPS)) return null;
  return { state: 'proposed', since: isoTime(startStep * SUB_WINDOW_MS), deploy };
}

/** What a signal's expectation consists of begins anew; the rest, and the shape of the day, stays as learned. */
function resetBaseline(baseline: Baseline, signal: Signal): void {
  const fresh = createBaseline();
  baseline.features = fresh.features;
  if (signal === 'error_rate') baseline.errors = fresh.errors;
  else if (signal === 'latency') baseline.latency = fresh.latency;
  else if (signal !== 'multivariate') {
    baseline.traffic.flat = fresh.traffic.flat;
    baseline.traffic.seasonal = fresh.traffic.seasonal;
  }
}

function learnStepAnew(baseline: Baseline, ring: StepRing, step: number, signal: Signal): void {
  const slot = slotOf(ring, step);
  if (slot < 0) return;
  const count = ring.count[slot] as number;
  if (signal === 'error_rate') learnErrors(baseline.errors, ring.errorCount[slot] as number, count, 0);
  if (signal === 'latency') learnLatency(baseline.latency, step, ring.histograms[slot] ?? null, ring.latencySum[slot] as number);
  const isTraffic = signal === 'traffic' || signal === 'silence';
  if (isTraffic && ring.whole[slot] === 1) {
    learnTraffic(baseline.traffic, step, count, dispersionFor(baseline, 0, 'traffic', ring.expectedCount[slot] as number));
  }
}

/**
 * Takes the level of a signal since `fromStep` for the usual one: its baseline begins anew with what the ring still holds of it,
 * steps up to `toStep` are compared with nothing any more, and the forest, which learned the old level, is trained again.
 */
export function adoptNewNormal(entity: Entity, signal: Signal, fromStep: number, toStep: number): void {
  const { state } = entity;
  const { ring, baseline } = state;
  resetBaseline(baseline, signal);
  for (let step = Math.max(fromStep, toStep - ring.size + 1); step <= toStep; step++) {
    learnStepAnew(baseline, ring, step, signal);
  }
  ring.scored.fill(0);
  ring.residuals.fill(NaN);
  state.silence = { ...createSilence(), usualRun: state.silence.usualRun };
  state.forest = createForestVoter();
  state.rawScore = null;
  state.forestEvidence = 0;
  entity.model = null;
  state.learnNext = Math.max(state.learnNext, toStep + 1);
}
