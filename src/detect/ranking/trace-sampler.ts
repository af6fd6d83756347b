/** How many traces are looked at. Plain data. */
export interface TraceSamplerState {
  /** One trace in 2 ** level is looked at. */
  level: number;
  /** Level before it was last lowered, and when that was: of traces that began before, spans may be missing. */
  formerLevel: number;
  loweredMs: number;
  stretchStartMs: number;
  /** Spans of the stretch: those that were admitted. */
  admitted: number;
}

const STRETCH_MS = 10_000;
/** Spans looked at in a stretch; at one to two microseconds each that is a thousandth of a core, however many come. */
const MAX_ADMITTED = 5_000;

export function createTraceSamplerState(): TraceSamplerState {
  return { level: 0, formerLevel: 0, loweredMs: -Infinity, stretchStartMs: -Infinity, admitted: 0 };
}

/** Zero bits at the end of a hash: a trace of depth d is among one in 2 ** d. */
export function depthOf(hash: number): number {
  return hash === 0 ? 32 : 31 - Math.clz32(hash & -hash);
}

/**
 * Samples whole traces by their hash, so that what is looked at costs the same at any rate. Samples are nested, and a trace counts
 * only when it was in the sample from its first span to its last: half a trace would look like calls that are missing.
 */
export class TraceSampler {
  readonly state: TraceSamplerState;

  constructor(state: TraceSamplerState = createTraceSamplerState()) {
    this.state = state;
  }

  /** Whether a span of a trace of this depth is looked at now. */
  admits(depth: number, nowMs: number): boolean {
    const { state } = this;
    if (nowMs - state.stretchStartMs >= STRETCH_MS) this.#begin(nowMs);
    if (depth < state.level) return false;
    if (++state.admitted > MAX_ADMITTED) {
      state.level++;
      state.admitted /= 2;
    }
    return depth >= state.level;
  }

  /** Whether all spans of a trace that began then were admitted. */
  isWhole(depth: number, startMs: number): boolean {
    const { level, formerLevel, loweredMs } = this.state;
    return depth >= level && (depth >= formerLevel || startMs >= loweredMs);
  }

  #begin(nowMs: number): void {
    const { state } = this;
    // Twice as many must still be few enough.
    if (state.level > 0 && state.admitted * 2 < MAX_ADMITTED / 2) {
      state.formerLevel = state.level--;
      state.loweredMs = nowMs;
    }
    state.stretchStartMs = nowMs;
    state.admitted = 0;
  }
}
