import { TailModel, tailMemoryPoints } from './tail.ts';
import type { TailState } from './tail.ts';

/** A way for a score to count: reached by at least `hits` of the last `ticks`. */
interface PersistenceWindow {
  hits: number;
  ticks: number;
}

const LONGEST_MS = { 10: 3_600_000, 60: 300_000 } as const;

/** Windows in ticks and in time: one tick, 2 of 3, and longer ones where they are still quick in minutes. */
export function persistenceWindows(stepMs: number): readonly PersistenceWindow[] {
  const windows = [
    { hits: 1, ticks: 1 },
    { hits: 2, ticks: 3 },
  ];
  if (10 * stepMs <= LONGEST_MS[10]) windows.push({ hits: 6, ticks: 10 });
  if (60 * stepMs <= LONGEST_MS[60]) windows.push({ hits: 36, ticks: 60 });
  return windows;
}

export interface PersistenceState {
  /** Last scores, newest first. */
  recent: Float64Array;
  tails: TailState[];
}

/**
 * Evidence of a stream of scores, each window judged by its own tail: how rarely the history held such a score for so long. What is correlated from
 * tick to tick needs no assumption, because the tail has seen it.
 */
export class PersistentEvidence {
  readonly state: PersistenceState;
  /** Evidence of each window at the last tick. */
  readonly evidence: Float64Array;
  private readonly windows: readonly PersistenceWindow[];
  private readonly tails: TailModel[];
  private readonly levels: Float64Array;
  private readonly sorted: Float64Array;

  constructor(stepMs: number, state?: PersistenceState) {
    this.windows = persistenceWindows(stepMs);
    const longest = this.windows.at(-1) as PersistenceWindow;
    this.tails = this.windows.map((_, index) => new TailModel(state?.tails[index], tailMemoryPoints(stepMs)));
    this.state = state ?? { recent: new Float64Array(longest.ticks), tails: this.tails.map((tail) => tail.state) };
    this.evidence = new Float64Array(this.windows.length);
    this.levels = new Float64Array(this.windows.length);
    this.sorted = new Float64Array(longest.ticks);
  }

  /** Takes in the score of a tick and returns the strongest evidence of any window. */
  next(score: number): number {
    const { recent } = this.state;
    recent.copyWithin(1, 0);
    recent[0] = score;
    let strongest = 0;
    for (const [index, window] of this.windows.entries()) {
      const sorted = this.sorted.subarray(0, window.ticks);
      sorted.set(recent.subarray(0, window.ticks));
      if (window.ticks > 1) sorted.sort();
      const level = sorted[window.ticks - window.hits] as number;
      this.levels[index] = level;
      const evidence = (this.tails[index] as TailModel).evidence(level);
      this.evidence[index] = evidence;
      strongest = Math.max(strongest, evidence);
    }
    return strongest;
  }

  /** Ticks without a score: nothing is known of them, so nothing lasts through them. */
  skip(ticks: number): void {
    const { recent } = this.state;
    const gap = Math.min(ticks, recent.length);
    recent.copyWithin(gap, 0);
    recent.fill(0, 0, gap);
  }

  /** Learns the tick that `next` took in. */
  learn(): void {
    for (const [index, tail] of this.tails.entries()) tail.learn(this.levels[index] as number);
  }
}
