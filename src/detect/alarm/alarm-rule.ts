import { createEpisodeHabits, isHabit, isWorse, noteEpisode, updatePeak } from './episode-habits.ts';
import type { EpisodeHabits } from './episode-habits.ts';
import { PersistentEvidence } from './persistence.ts';
import type { PersistenceState } from './persistence.ts';

/**
 * What the rule says of a tick, and why. `muted_frequent`: a habit of the entity, no worse than usual; `settled`: it has fired for hours
 * and is no worse since.
 */
export type AlarmState = 'quiet' | 'warming_up' | 'pending' | 'firing' | 'muted_frequent' | 'settled';

/** Everything the rule remembers: plain data of fixed size. */
export interface AlarmMemory {
  ticks: number;
  lastMs: number;
  state: AlarmState;
  /** Start of the present episode, firing or muted; NaN outside. */
  sinceMs: number;
  /** Ticks of the episode without support. */
  calmTicks: number;
  habits: EpisodeHabits;
  persistence: PersistenceState;
}

export interface AlarmOptions {
  stepMs: number;
  /** Alarms an entity may raise a day without a cause. */
  falseAlarmBudget: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Ticks before anything may fire. */
export const WARM_UP_TICKS = 30;
/** An episode goes on while the evidence of the tick alone is at least this share of what it took to begin. */
const HOLD_SHARE = 0.5;
const LASTING_HOLD_SHARE = 0.3;
const PENDING_SHARE = 0.6;
const RELEASE_TICKS = 2;
const RELEASE_MS = 30_000;
/** What has fired for so long and got no worse has been heard. */
const LONGEST_EPISODE_MS = 6 * HOUR_MS;

/**
 * Decides from the scores of one entity when it fires. A budget of b alarms a day means that a tick may fire by chance with p =
 * b x step / day. The persistence windows mostly alarm together, so that each has all of it. Strong evidence fires at once, weaker evidence when it lasts, because a high score
 * that lasts is rarer in the history than one that does not. What fired is learned like anything else, but as a rarity (`TailModel`), so
 * that what recurs goes quiet by itself; a daily habit of the same kind is muted until it gets worse.
 */
export class AlarmRule {
  readonly memory: AlarmMemory;
  /** Evidence, -log10 p, that a window needs to fire. */
  readonly needed: number;
  private readonly stepMs: number;
  private readonly releaseTicks: number;
  private readonly persistent: PersistentEvidence;
  private strongest = 0;

  constructor(options: AlarmOptions, memory?: AlarmMemory) {
    this.stepMs = options.stepMs;
    this.persistent = new PersistentEvidence(options.stepMs, memory?.persistence);
    this.needed = neededEvidence(options);
    this.releaseTicks = Math.max(RELEASE_TICKS, Math.round(RELEASE_MS / options.stepMs));
    this.memory = memory ?? {
      ticks: 0,
      lastMs: NaN,
      state: 'warming_up',
      sinceMs: NaN,
      calmTicks: 0,
      habits: createEpisodeHabits(),
      persistence: this.persistent.state,
    };
  }

  get state(): AlarmState {
    return this.memory.state;
  }

  /** Strongest evidence of any window at the last tick, -log10 p of one tick. */
  get evidence(): number {
    return this.strongest;
  }

  /**
   * Takes in the score of the tick at `timeMs` (>= 0, continuous; larger is stranger) and returns whether the entity fires. `kind`
   * names what deviates and how, such as the largest series and its direction: only episodes of one kind are compared.
   */
  next(score: number, timeMs: number, kind = ''): boolean {
    const { memory } = this;
    const missed = Number.isNaN(memory.lastMs) ? 0 : Math.round((timeMs - memory.lastMs) / this.stepMs) - 1;
    if (missed > 0) this.persistent.skip(missed);
    memory.lastMs = timeMs;
    memory.ticks++;
    this.strongest = this.persistent.next(score);
    this.decide(score, timeMs, kind);
    if (memory.ticks > WARM_UP_TICKS || score > 0) this.persistent.learn();
    return memory.state === 'firing';
  }

  private decide(score: number, timeMs: number, kind: string): void {
    const { memory } = this;
    if (memory.ticks <= WARM_UP_TICKS) return;
    if (Number.isNaN(memory.sinceMs)) {
      if (this.strongest >= this.needed) this.begin(score, timeMs, kind);
      else memory.state = this.strongest >= this.needed * PENDING_SHARE ? 'pending' : 'quiet';
      return;
    }
    memory.calmTicks = this.isHeld() ? 0 : memory.calmTicks + 1;
    if (memory.calmTicks >= this.releaseTicks) {
      memory.sinceMs = NaN;
      memory.state = 'quiet';
    } else if (memory.state === 'settled') {
      if (isWorse(memory.habits, score)) this.begin(score, timeMs, kind);
    } else {
      updatePeak(memory.habits, score);
      if (timeMs - memory.sinceMs >= LONGEST_EPISODE_MS) memory.state = 'settled';
      else if (memory.state === 'muted_frequent' && !isHabit(memory.habits)) memory.state = 'firing';
    }
  }

  /** Whether the tick itself supports the episode; a window that still would fire asks for less, but what is over is over. */
  private isHeld(): boolean {
    const share = this.strongest >= this.needed ? LASTING_HOLD_SHARE : HOLD_SHARE;
    return (this.persistent.evidence[0] as number) >= this.needed * share;
  }

  private begin(score: number, timeMs: number, kind: string): void {
    const { memory } = this;
    memory.sinceMs = timeMs;
    memory.calmTicks = 0;
    noteEpisode(memory.habits, timeMs, kind, score);
    memory.state = isHabit(memory.habits) ? 'muted_frequent' : 'firing';
  }
}

/** Evidence per tick that keeps chance within the budget: log10 of ticks per false alarm; at least 1. */
export function neededEvidence(options: AlarmOptions): number {
  return Math.max(1, Math.log10(DAY_MS / options.stepMs / options.falseAlarmBudget));
}
