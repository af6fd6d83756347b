import { hash32, smoothNoise } from './random-field.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Load of each day relative to the mean of the week, Thursday first because the Unix epoch was one. */
const WEEK = [1.1, 1.08, 0.78, 0.74, 1.1, 1.1, 1.1];

/** Load by time of day, mean 1: one broad peak in the afternoon, a shoulder in the evening, a trough before dawn. */
export function diurnalFactor(ms: number, peakHour = 14): number {
  const angle = (2 * Math.PI * (ms / HOUR_MS - peakHour)) / 24;
  return 1 + 0.45 * Math.cos(angle) + 0.12 * Math.cos(2 * (angle - Math.PI / 3));
}

/** Load by day of the week, mean 1 over a week; days blend into each other during the six hours around midnight. */
export function weeklyFactor(ms: number): number {
  const days = ms / DAY_MS;
  const day = Math.floor(days);
  const hour = (days - day) * 24;
  const at = (index: number): number => WEEK[((index % 7) + 7) % 7] as number;
  if (hour < 3) return blend(at(day - 1), at(day), (hour + 3) / 6);
  if (hour >= 21) return blend(at(day), at(day + 1), (hour - 21) / 6);
  return at(day);
}

function blend(from: number, to: number, share: number): number {
  return from + (to - from) * ((1 - Math.cos(Math.PI * share)) / 2);
}

/** Slow wander of the load around its season: about 5 % over ten minutes and 4 % over half a minute. */
export function wanderFactor(seed: number, ms: number): number {
  return Math.exp(
    0.05 * smoothNoise(hash32(seed, 101), ms / 600_000) + 0.04 * smoothNoise(hash32(seed, 102), ms / 30_000) - 0.002,
  );
}

/** Expected load at `ms` relative to the long-run mean, before second-to-second noise. */
export function trafficFactor(seed: number, ms: number): number {
  const peakHour = 12 + (hash32(seed, 103) % 600) / 100;
  return diurnalFactor(ms, peakHour) * weeklyFactor(ms) * wanderFactor(seed, ms);
}
