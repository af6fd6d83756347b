import type { Signal } from '../model/anomaly.ts';
import { createBaseline, type Baseline } from './baseline.ts';
import { createCoMovement, type CoMovement } from './co-movement.ts';
import { createEpisode, SIGNALS, type Episode } from './episode.ts';
import type { ForestModel } from './forest-model.ts';
import { createForestVoter, openVoterModel, type ForestVoter } from './forest-voter.ts';
import type { Habit } from './quiet-habit.ts';
import { createSilence, type Silence } from './silence.ts';
import { createStepRing, type StepRing } from './step-ring.ts';
import { createSubWindow, toSparse, countAbove, resetSubWindow, type SubWindow } from './sub-window.ts';

/** Everything known of one entity. Plain data, so that a snapshot is one encoding of it. */
export interface EntityState {
  id: string;
  /** Whether it is judged by its requests (native events, and spans that are requests); by its log records until the first. */
  hasRequests: boolean;
  /** First step with an event; it is partial and never learned. */
  firstStep: number;
  lastEventStep: number;
  /** Events that came after their step was closed, fading. */
  late: number;
  /** Open sub-windows by step. */
  open: Map<number, SubWindow>;
  ring: StepRing;
  baseline: Baseline;
  silence: Silence;
  /** Empty steps in a row up to the last learned one. */
  emptyRun: number;
  forest: ForestVoter;
  episodes: Record<Signal, Episode>;
  /** Earlier anomalies by signal. */
  habits: Record<Signal, Habit>;
  movement: CoMovement;
  /** The client that began its newest step: whose pipe is open when only this entity is silent. */
  client: string;
  /** Next step to be learned, and the step before which an anomaly's steps are left out. */
  learnNext: number;
  skipBefore: number;
  /** Newest forest score and evidence. */
  rawScore: number | null;
  forestEvidence: number;
}

/** An entity with what is rebuilt rather than stored. */
export interface Entity {
  state: EntityState;
  /** The sub-window that the last event went to. */
  recent: SubWindow;
  model: ForestModel | null;
}

const NO_WINDOW = createSubWindow(-1);

export function createEntityState(id: string, ringSteps: number): EntityState {
  const bySignal = <T>(make: () => T): Record<Signal, T> =>
    Object.fromEntries(SIGNALS.map((signal) => [signal, make()])) as Record<Signal, T>;
  return {
    id,
    hasRequests: false,
    firstStep: -1,
    lastEventStep: -1,
    late: 0,
    open: new Map(),
    ring: createStepRing(ringSteps),
    baseline: createBaseline(),
    silence: createSilence(),
    emptyRun: 0,
    forest: createForestVoter(),
    episodes: bySignal(createEpisode),
    habits: bySignal((): Habit => []),
    movement: createCoMovement(),
    client: '',
    learnNext: -1,
    skipBefore: -1,
    rawScore: null,
    forestEvidence: 0,
  };
}

export function openEntity(state: EntityState): Entity {
  return { state, recent: NO_WINDOW, model: openVoterModel(state.forest) };
}

/** The open sub-window of a step, made when needed; `pool` holds cleared ones for reuse. */
export function subWindowOf(entity: Entity, step: number, pool: SubWindow[]): SubWindow {
  const { open } = entity.state;
  let window = open.get(step);
  if (!window) {
    window = pool.pop() ?? createSubWindow(step);
    resetSubWindow(window, step);
    open.set(step, window);
    if (entity.state.firstStep < 0 || step < entity.state.firstStep) entity.state.firstStep = step;
  }
  entity.recent = window;
  return window;
}

/** Takes out the open sub-windows, oldest first. */
export function takeWindows(entity: Entity): SubWindow[] {
  const { open } = entity.state;
  const taken = [...open.values()].sort((a, b) => a.index - b.index);
  open.clear();
  entity.recent = NO_WINDOW;
  return taken;
}

/** Moves a step from open to closed: into the ring, empty when it had no event. Returns its slot. */
export function closeSubWindow(entity: Entity, step: number, whole: boolean, pool: SubWindow[]): number {
  const { ring, open, baseline } = entity.state;
  const slot = step % ring.size;
  const window = open.get(step);
  ring.index[slot] = step;
  ring.count[slot] = window?.count ?? 0;
  ring.errorCount[slot] = window?.errorCount ?? 0;
  ring.latencyCount[slot] = window?.latencyCount ?? 0;
  ring.latencySum[slot] = window?.latencySum ?? 0;
  ring.latencySquareSum[slot] = window?.latencySquareSum ?? 0;
  ring.whole[slot] = whole && step > entity.state.firstStep ? 1 : 0;
  const { bucket95, bucket99, bucket999 } = baseline.latency;
  const sparse = window && window.latencyCount > 0 ? toSparse(window.histogram) : null;
  ring.slow95[slot] = sparse && bucket95 >= 0 ? countAbove(sparse, bucket95) : 0;
  ring.slow99[slot] = sparse && bucket99 >= 0 ? countAbove(sparse, bucket99) : 0;
  ring.slow999[slot] = sparse && bucket999 >= 0 ? countAbove(sparse, bucket999) : 0;
  ring.histograms[slot] = sparse;
  ring.endpoints[slot] = window && window.endpoints.size > 0 ? Uint32Array.from(window.endpoints) : null;
  if (!window) return slot;
  entity.state.lastEventStep = step;
  open.delete(step);
  if (entity.recent === window) entity.recent = NO_WINDOW;
  pool.push(window);
  return slot;
}
