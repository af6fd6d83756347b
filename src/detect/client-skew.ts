/**
 * What one client's clock and batching look like from the lag (received - timestamp) of its batches: a steady skew, which
 * is corrected for windows, and how long its events usually take to arrive. Milliseconds.
 */
export interface ClientSkew {
  /** Median and longest lag of each of the last batches. */
  medians: number[];
  longest: number[];
  /** Added to its timestamps: received - timestamp when that is steady and not plausible as transport. */
  shiftMs: number;
  /** How long its windows are kept open beyond the allowed lateness. */
  delayMs: number;
  lastReceivedMs: number;
}

const MEMORY = 16;
const MIN_BATCHES = 8;
const AHEAD_MS = 1000;
const BEHIND_MS = 10_000;
const MAX_SKEW_MS = 600_000;
const MAX_DELAY_MS = 10_000;
const SAMPLE = 16;
/** Of batches that come faster one after the other, not every one is looked at: single events cost as much as a hundred. */
const MIN_INTERVAL_MS = 20;

export function createClientSkew(): ClientSkew {
  return { medians: [], longest: [], shiftMs: 0, delayMs: 0, lastReceivedMs: 0 };
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * (sorted.length - 1))] as number;

/** Takes in one batch's timestamps (the first `count`), sampled evenly. */
export function observeLag(state: ClientSkew, timestamps: Float64Array, count: number, receivedAtMs: number): void {
  const sinceMs = receivedAtMs - state.lastReceivedMs;
  if (sinceMs >= 0 && sinceMs < MIN_INTERVAL_MS && state.medians.length >= MEMORY) return;
  const stride = Math.max(1, Math.floor(count / SAMPLE));
  const lags: number[] = [];
  for (let i = 0; i < count; i += stride) lags.push(receivedAtMs - (timestamps[i] as number));
  lags.sort((a, b) => a - b);
  state.medians.push(quantile(lags, 0.5));
  state.longest.push(lags.at(-1) as number);
  if (state.medians.length > MEMORY) {
    state.medians.shift();
    state.longest.shift();
  }
  state.lastReceivedMs = receivedAtMs;
  const medians = ascending(state.medians);
  const middle = quantile(medians, 0.5);
  const spread = quantile(medians, 0.75) - quantile(medians, 0.25);
  const steady = medians.length >= MIN_BATCHES && spread <= Math.max(1000, 0.05 * Math.abs(middle));
  const skewed = middle < -AHEAD_MS || (middle > BEHIND_MS && middle <= MAX_SKEW_MS);
  state.shiftMs = steady && skewed ? Math.round(middle / 1000) * 1000 : 0;
  const delay = quantile(ascending(state.longest), 0.5) - state.shiftMs;
  state.delayMs = Math.max(0, Math.min(MAX_DELAY_MS, delay));
}
