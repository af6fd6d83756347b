import type { Prng } from '../lib/prng.ts';

/** 32-bit hash of three integers (the finaliser of MurmurHash3 over their combination). */
export function hash32(a: number, b: number, c = 0): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^ Math.imul(c + 0x165667b1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Smooth noise over the real line, a pure function of `key` and `x`: uniform knots of unit variance at the integers,
 * cosine-blended between them. Stays within ±1.74.
 */
export function smoothNoise(key: number, x: number): number {
  const knot = Math.floor(x);
  const blend = (1 - Math.cos(Math.PI * (x - knot))) / 2;
  const left = (hash32(key, knot) / 2 ** 32 - 0.5) * Math.sqrt(12);
  const right = (hash32(key, knot + 1) / 2 ** 32 - 0.5) * Math.sqrt(12);
  return left + (right - left) * blend;
}

/** Poisson draw: Knuth's product below mean 30, above it the rounded normal approximation. */
export function poisson(prng: Prng, mean: number): number {
  if (mean >= 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * prng.normal()));
  const floor = Math.exp(-mean);
  let count = 0;
  for (let product = prng.next(); product > floor; product *= prng.next()) count++;
  return count;
}

/** The value at quantile `u` of a distribution that is uniform in the logarithm between `low` and `high`. */
export function logUniform(u: number, low: number, high: number): number {
  return low * (high / low) ** u;
}
