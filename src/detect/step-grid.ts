import type { Anomaly } from '../model/anomaly.ts';
import type { StoredModel } from '../model/model-record.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { expectStep } from './baseline.ts';
import type { CallGraph } from './call-graph.ts';
import type { DetectConfig } from './config.ts';
import { learnEntity } from './entity-learning.ts';
import { scoreEntity } from './entity-scoring.ts';
import { closeSubWindow, type Entity, type EntityState } from './entity-state.ts';
import { SIGNALS } from './episode.ts';
import { openVoterModel, retrain } from './forest-voter.ts';
import { isGap, type StepTraffic } from './gap-rule.ts';
import { isEntrySilent, type Quieted } from './silent-entry.ts';
import { createHorizonSums, slotOf, sumHorizon } from './step-ring.ts';
import type { SubWindow } from './sub-window.ts';
import { expectedTraffic } from './traffic-level.ts';

/** Where the grid of closed steps stands. Plain data. */
export interface GridState {
  /** Next step to close; -1 before the first event. */
  nextStep: number;
  /** Whether the step before was a hole in the stream. */
  afterGap: boolean;
  /** Steps without any event in a row. */
  emptySteps: number;
  /** First step of the hole that the stream is in, although something was expected: its data is late; -1 when there is none. */
  lateSince: number;
  /** First step of the stretch in which nearly everything is silent, late or not; -1 when it is not. */
  silentSince: number;
}

export interface GridOptions {
  config: DetectConfig;
  seed: number;
  lengths: readonly number[];
  pool: SubWindow[];
  graph: CallGraph;
  changeBefore: (service: string, startedMs: number) => string | null;
  /** In a hole of the stream it waits for the step in which events go on, however far event time has come meanwhile. */
  waitsInHoles: boolean;
}

/** Empty steps in a row after which the stream as a whole counts as interrupted, whatever was expected. */
const MAX_EMPTY_STEPS = 30;
const RETRAIN_CHECK_STEPS = 6;
const MAX_POOLED = 64;
/** A witness is looked at over a minute at most that ends with the step. */
const EARLIER_STEPS = 5;
/** Late events fade by half in half a minute; a tenth of a step's events, and a few, are more than stragglers. */
const LATE_KEEP = 2 ** (-1 / 3);
const LATE_SHARE = 0.1;
const MIN_LATE = 3;
const sums = createHorizonSums();

function createGridState(): GridState {
  return { nextStep: -1, afterGap: true, emptySteps: 0, lateSince: -1, silentSince: -1 };
}

export interface ClosedSteps {
  /** Last step closed, or -1 when none was. */
  lastStep: number;
  models: StoredModel[];
}

type FileAnomaly = (anomaly: Anomaly, atMs: number) => string | null;

/** Closes steps in order, all entities together, and has them scored and learned. */
export class StepGrid {
  state: GridState = createGridState();
  readonly #options: GridOptions;

  constructor(options: GridOptions) {
    this.#options = options;
  }

  /** Closes every step below `before` that holds or should hold events; holes in the stream are jumped over. */
  closeUntil(before: number, entities: Map<string, Entity>, file: FileAnomaly): ClosedSteps {
    const { state } = this;
    const closed: ClosedSteps = { lastStep: -1, models: [] };
    const { waitsInHoles } = this.#options;
    if (state.nextStep < 0 && !waitsInHoles) state.nextStep = Math.min(before, this.#firstOpen(entities));
    while (state.nextStep < before) {
      if (waitsInHoles && this.#isInHole()) {
        const first = this.#firstOpen(entities);
        if (first >= before) break;
        state.nextStep = Math.max(state.nextStep, first);
      }
      const step = state.nextStep;
      this.#closeStep(step, entities, file, closed.models);
      closed.lastStep = step;
      state.nextStep = step + 1;
      if (!waitsInHoles && this.#isInHole()) {
        state.nextStep = Math.max(state.nextStep, Math.min(before, this.#firstOpen(entities)));
      }
    }
    this.#options.pool.length = Math.min(this.#options.pool.length, MAX_POOLED);
    return closed;
  }

  #isInHole(): boolean {
    const { nextStep, emptySteps, afterGap } = this.state;
    return nextStep < 0 || emptySteps >= MAX_EMPTY_STEPS || (emptySteps > 0 && afterGap);
  }

  #firstOpen(entities: Map<string, Entity>): number {
    let first = Infinity;
    for (const { state } of entities.values()) for (const step of state.open.keys()) if (step < first) first = step;
    return first;
  }

  #closeStep(step: number, entities: Map<string, Entity>, file: FileAnomaly, models: StoredModel[]): void {
    const { state } = this;
    const { lengths, config, pool } = this.#options;
    const traffic: StepTraffic[] = [];
    let total = 0;
    let expectedTotal = 0;
    for (const { state: entity } of entities.values()) {
      const count = entity.open.get(step)?.count ?? 0;
      const expected = expectedTraffic(entity.baseline.traffic, step);
      traffic.push({ count, expected });
      total += count;
      expectedTotal += expected;
    }
    state.emptySteps = total === 0 ? state.emptySteps + 1 : 0;
    const looksLate = isGap(traffic);
    if (!looksLate) state.silentSince = -1;
    else if (state.silentSince < 0) state.silentSince = step;
    const isHole = looksLate && !(expectedTotal > 0 && this.#hasWitness(step, entities, traffic));
    const gap = isHole || state.emptySteps >= MAX_EMPTY_STEPS;
    if (!gap) state.lateSince = -1;
    else if (state.lateSince < 0 && expectedTotal > 0) state.lateSince = step;
    const whole = !gap && !state.afterGap;
    state.afterGap = gap;
    const endMs = (step + 1) * SUB_WINDOW_MS;
    let index = 0;
    for (const entity of entities.values()) {
      const { expected } = traffic[index++] as StepTraffic;
      if (entity.state.firstStep < 0 || step < entity.state.firstStep) continue;
      const slot = closeSubWindow(entity, step, whole, pool);
      expectStep(entity.state.baseline, entity.state.ring, slot, step);
      doubtLate(entity.state, step, expected);
      if (gap && total === 0) entity.state.ring.index[slot] = -1;
      const trafficShare = expectedTotal > 0 ? expected / expectedTotal : 0;
      this.#scoreStep(entity, step, trafficShare, endMs, file);
      learnEntity(entity, step, lengths, config);
      this.#retrain(entity, step, models);
    }
  }

  #hasWitness(step: number, entities: Map<string, Entity>, traffic: readonly StepTraffic[]): boolean {
    // What came before the silence says nothing of the pipe since.
    const earlier = Math.min(EARLIER_STEPS, step - this.state.silentSince);
    let index = 0;
    const quieted: Quieted[] = [];
    for (const { state } of entities.values()) {
      const { count, expected } = traffic[index++] as StepTraffic;
      sumHorizon(state.ring, step - 1, earlier, sums);
      const { id, client } = state;
      quieted.push({ id, client, count, expected, sinceCount: count + sums.count, sinceExpected: expected * (earlier + 1) });
    }
    return isEntrySilent(quieted, this.#options.graph);
  }

  #scoreStep(entity: Entity, step: number, trafficShare: number, endMs: number, file: FileAnomaly): void {
    const { config, lengths, changeBefore } = this.#options;
    if (slotOf(entity.state.ring, step) < 0) return;
    for (const anomaly of scoreEntity(entity, step, { config, lengths, trafficShare, changeBefore })) {
      const incidentId = file(anomaly, endMs);
      const episode = SIGNALS.map((signal) => entity.state.episodes[signal]).find((other) => other.anomaly?.id === anomaly.id);
      if (episode) episode.anomaly = { ...anomaly, incidentId };
    }
  }

  #retrain(entity: Entity, step: number, models: StoredModel[]): void {
    if ((step + 1) % RETRAIN_CHECK_STEPS !== 0) return;
    const { config, seed } = this.#options;
    const model = retrain(entity.state.forest, entity.state.id, step, config, seed);
    if (!model) return;
    entity.model = openVoterModel(entity.state.forest);
    models.push(model);
  }
}

/** While events of an entity keep coming late, nobody knows how many there were: its last minute is not judged by traffic. */
function doubtLate(state: EntityState, step: number, expected: number): void {
  state.late *= LATE_KEEP;
  if (state.late < MIN_LATE || state.late < LATE_SHARE * expected) return;
  for (let at = step - EARLIER_STEPS; at <= step; at++) {
    const slot = slotOf(state.ring, at);
    if (slot >= 0) state.ring.whole[slot] = 0;
  }
}
