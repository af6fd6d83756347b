/** Steps that people configure, milliseconds. */
const USUAL_STEPS_MS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600].map((seconds) => seconds * 1000);
const SHORTEST_MS = 1000;
const LONGEST_MS = 3_600_000;
/** Scrapes jitter; a step this close to a usual one is that one. */
const TOLERANCE = 0.1;

/** A grid of ticks: tick k is `[phaseMs + k * stepMs, phaseMs + (k + 1) * stepMs)`. */
export interface TickGrid {
  stepMs: number;
  phaseMs: number;
}

/**
 * The grid of a series from the stamps of its first points, ascending and distinct, at least two. The step is the median distance;
 * ticks lie so that stamps fall into their middle, and jitter does not move a point into its neighbour.
 */
export function estimateGrid(stampsMs: readonly number[]): TickGrid {
  const distances = stampsMs.slice(1).map((stamp, i) => stamp - (stampsMs[i] as number));
  const median = distances.toSorted((a, b) => a - b)[(distances.length - 1) >> 1] as number;
  const stepMs = usualStep(median);
  return { stepMs, phaseMs: circularMean(stampsMs, stepMs) - stepMs / 2 };
}

function usualStep(distanceMs: number): number {
  const bounded = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, distanceMs));
  const usual = USUAL_STEPS_MS.find((step) => Math.abs(bounded / step - 1) <= TOLERANCE);
  return usual ?? Math.round(bounded / 1000) * 1000;
}

/** Mean of stamps on the circle of one step, 0 <= mean < step. */
function circularMean(stampsMs: readonly number[], stepMs: number): number {
  let x = 0;
  let y = 0;
  for (const stamp of stampsMs) {
    const angle = ((stamp % stepMs) / stepMs) * 2 * Math.PI;
    x += Math.cos(angle);
    y += Math.sin(angle);
  }
  const turn = Math.atan2(y, x) / (2 * Math.PI);
  return Math.round((turn - Math.floor(turn)) * stepMs) % stepMs;
}

export function tickOf(grid: TickGrid, timeMs: number): number {
  return Math.floor((timeMs - grid.phaseMs) / grid.stepMs);
}

export function tickEnd(grid: TickGrid, tick: number): number {
  return grid.phaseMs + (tick + 1) * grid.stepMs;
}
