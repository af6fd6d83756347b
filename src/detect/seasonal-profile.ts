/**
 * The shape of the day, and of the week once two weeks have been seen: a decayed mean rate per quarter of an hour,
 * read by linear interpolation. A slot speaks only after it was seen on two earlier days (weeks).
 */
export interface SeasonalProfile {
  day: Slots;
  week: Slots;
  /** The quarter now being filled: its number since the epoch, its steps and its events. */
  quarter: number;
  steps: number;
  count: number;
}

interface Slots {
  rate: Float32Array;
  seen: Uint8Array;
}

const QUARTER_MS = 900_000;
const DAY_SLOTS = 96;
const WEEK_SLOTS = 672;
const MIN_STEPS = 30;
const MIN_SEEN = 2;
const MIN_GAIN = 0.3;
// The epoch was a Thursday; slots only need to be a whole week apart.
const slotIn = (quarter: number, slots: number): number => ((quarter % slots) + slots) % slots;

const createSlots = (length: number): Slots => ({ rate: new Float32Array(length), seen: new Uint8Array(length) });

export function createSeasonalProfile(): SeasonalProfile {
  return { day: createSlots(DAY_SLOTS), week: createSlots(WEEK_SLOTS), quarter: -1, steps: 0, count: 0 };
}

function readSlots({ rate, seen }: Slots, timeMs: number): number {
  const position = timeMs / QUARTER_MS - 0.5;
  const left = Math.floor(position);
  const a = slotIn(left, rate.length);
  const b = slotIn(left + 1, rate.length);
  if ((seen[a] as number) < MIN_SEEN || (seen[b] as number) < MIN_SEEN) return NaN;
  return (rate[a] as number) + (position - left) * ((rate[b] as number) - (rate[a] as number));
}

/** Events per step usual at this time of the week, else of the day; NaN when neither is known. */
export function seasonalRate(profile: SeasonalProfile, timeMs: number): number {
  const weekly = readSlots(profile.week, timeMs);
  return Number.isNaN(weekly) ? readSlots(profile.day, timeMs) : weekly;
}

function learnSlot({ rate, seen }: Slots, quarter: number, value: number): void {
  const slot = slotIn(quarter, rate.length);
  const count = seen[slot] as number;
  const gain = Math.max(MIN_GAIN, 1 / (count + 1));
  rate[slot] = (rate[slot] as number) + gain * (value - (rate[slot] as number));
  if (count < 255) seen[slot] = count + 1;
}

/** Adds the events of one step that starts at `timeMs`; a quarter counts once enough of its steps were learned. */
export function learnSeasonalProfile(profile: SeasonalProfile, timeMs: number, count: number): void {
  const quarter = Math.floor(timeMs / QUARTER_MS);
  if (quarter !== profile.quarter) {
    if (profile.steps >= MIN_STEPS) {
      const rate = profile.count / profile.steps;
      learnSlot(profile.day, profile.quarter, rate);
      learnSlot(profile.week, profile.quarter, rate);
    }
    profile.quarter = quarter;
    profile.steps = 0;
    profile.count = 0;
  }
  profile.steps++;
  profile.count += count;
}
