import { quantileOf } from './ring-quantile.ts';

/**
 * What is usual at each phase of a period: the medians of the last visits to each slot. A forecast is the median over
 * the visits of the slot and its two neighbours (the "seasonal naive" forecast made robust; Hyndman and Athanasopoulos,
 * Forecasting, section 5.2; STL's idea of smoothing each cycle-subseries by itself, Cleveland et al. 1990). Plain data.
 */
export interface SlotProfile {
  slotMs: number;
  slots: number;
  visits: number;
  /** slots x visits, newest visit first; NaN where there was none. */
  values: Float32Array;
  /** Slot being filled, counted since the epoch, and its values so far (every `openStride`-th when there are many). */
  open: number;
  openCount: number;
  openStride: number;
  openValues: Float32Array;
  /** Slot since the epoch of the last forecast, and the forecast. */
  readAt: number;
  forecast: number;
}

const OPEN_CAPACITY = 15;
const NEIGHBOURS = [-1, 0, 1];
/** Visits that a slot and its neighbours need together: two of each. */
const MIN_VISITS = 4;
const SCRATCH = new Float32Array(64);

/** Slots are at least `minSlotMs` long and divide the period, so that a shift of time by whole periods changes nothing. */
export function createSlotProfile(periodMs: number, minSlotMs: number, visits: number, stepMs: number): SlotProfile {
  const slots = Math.max(1, Math.floor(periodMs / Math.max(minSlotMs, stepMs)));
  const slotMs = periodMs / slots;
  return {
    slotMs,
    slots,
    visits,
    values: new Float32Array(slots * visits).fill(NaN),
    open: NaN,
    openCount: 0,
    openStride: Math.max(1, Math.ceil(slotMs / stepMs / OPEN_CAPACITY)),
    openValues: new Float32Array(OPEN_CAPACITY),
    readAt: NaN,
    forecast: NaN,
  };
}

const wrap = (slot: number, slots: number): number => ((slot % slots) + slots) % slots;

/** Usual value at `timeMs`, NaN until the phase was visited twice. */
export function readSlotProfile(profile: SlotProfile, timeMs: number): number {
  const slot = Math.floor(timeMs / profile.slotMs);
  if (slot === profile.readAt) return profile.forecast;
  let count = 0;
  for (const neighbour of NEIGHBOURS) {
    const first = wrap(slot + neighbour, profile.slots) * profile.visits;
    for (let i = first; i < first + profile.visits; i++) {
      const value = profile.values[i] as number;
      if (!Number.isNaN(value)) SCRATCH[count++] = value;
    }
  }
  profile.readAt = slot;
  profile.forecast = count < MIN_VISITS ? NaN : quantileOf(SCRATCH.subarray(0, count).sort(), 0.5);
  return profile.forecast;
}

/** Adds a value; a slot's median joins its visits when the next slot begins. */
export function learnSlotProfile(profile: SlotProfile, timeMs: number, value: number): void {
  const slot = Math.floor(timeMs / profile.slotMs);
  if (slot !== profile.open) {
    closeSlot(profile);
    profile.open = slot;
    profile.openCount = 0;
  }
  if (profile.openCount % profile.openStride === 0) {
    profile.openValues[Math.floor(profile.openCount / profile.openStride) % OPEN_CAPACITY] = value;
  }
  profile.openCount++;
}

function closeSlot({ open, openCount, openStride, openValues, slots, visits, values }: SlotProfile): void {
  if (openCount === 0) return;
  const held = openValues.slice(0, Math.min(OPEN_CAPACITY, Math.ceil(openCount / openStride))).sort();
  const first = wrap(open, slots) * visits;
  values.copyWithin(first + 1, first, first + visits - 1);
  values[first] = quantileOf(held, 0.5);
}
