/** One entity in one step: what came and what was expected. */
export interface StepTraffic {
  count: number;
  expected: number;
}

/** Fewer events expected than this in a step, and its silence says nothing. */
const ACTIVE_EVENTS = 5;
const SILENT_SHARE = 0.8;
const MIN_ACTIVE = 2;
/** More than this part of the usual traffic still comes through a pipe that is open. */
const TRICKLE_SHARE = 0.05;
/** Events expected in all below which an empty step is chance. */
const CHANCE_EVENTS = 8;

/**
 * Whether a step is a hole in the stream rather than the silence of a service: nothing came at all although something was
 * expected (or nothing is known yet), or nearly every active service fell silent in the same step
 * and next to nothing came from the rest.
 */
export function isGap(traffic: readonly StepTraffic[]): boolean {
  let total = 0;
  let expected = 0;
  let active = 0;
  let silent = 0;
  for (const entry of traffic) {
    total += entry.count;
    expected += entry.expected;
    if (entry.expected < ACTIVE_EVENTS) continue;
    active++;
    if (entry.count === 0) silent++;
  }
  if (total === 0) return expected >= CHANCE_EVENTS || expected === 0;
  return active >= MIN_ACTIVE && silent >= SILENT_SHARE * active && total <= TRICKLE_SHARE * expected;
}
