import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng, type Prng } from '../../lib/prng.ts';
import { singleDriver } from './attribution.ts';
import { EntityVoters, VOTERS } from './entity-voters.ts';
import type { EntityScore } from './voter-row.ts';

const SERIES = 12;
const HISTORY_ROWS = 1500;
const CASES = 100;

type Noise = (prng: Prng) => number;

const NOISES: Record<string, Noise> = {
  normal: (prng) => prng.normal(),
  heavy: (prng) => prng.normal() / Math.sqrt(0.3 + 0.7 * prng.exponential()),
  skewed: (prng) => prng.exponential() - 1,
  discrete: (prng) => Math.round(prng.normal()),
};

interface Source {
  score(disturb: (residuals: Float64Array) => void): EntityScore;
}

/** An entity whose series share a common part and have `noise` of their own, warmed up. */
function warmedUp(noise: Noise, prng: Prng): Source {
  const voters = new EntityVoters({ seriesCount: SERIES, stepMs: 60_000, seed: 1 });
  const out = { score: 0, votes: new Float64Array(VOTERS.length), shares: new Float64Array(SERIES) };
  const row = { timeMs: 0, values: new Float64Array(SERIES), residuals: new Float64Array(SERIES) };
  let common = 0;
  const next = (disturb?: (residuals: Float64Array) => void): void => {
    common = 0.9 * common + 0.4 * prng.normal();
    for (let j = 0; j < SERIES; j++) row.residuals[j] = 0.7 * common + 0.7 * noise(prng);
    disturb?.(row.residuals);
    for (let j = 0; j < SERIES; j++) row.values[j] = 100 * (j + 1) + 3 * (row.residuals[j] as number);
    row.timeMs += 60_000;
    voters.score(row, out);
    voters.learn(row, false);
  };
  for (let i = 0; i < HISTORY_ROWS; i++) next();
  return {
    score: (disturb) => {
      next(disturb);
      const result = { score: out.score, votes: out.votes.slice(), shares: out.shares.slice() };
      for (let i = 0; i < 40; i++) next();
      return result;
    },
  };
}

for (const [name, noise] of Object.entries(NOISES)) {
  test(`an anomaly planted in one series leads its attribution, with its sign: ${name} noise`, () => {
    const prng = createPrng(11);
    const source = warmedUp(noise, prng);
    let top = 0;
    for (let i = 0; i < CASES; i++) {
      const planted = prng.below(SERIES);
      const by = (6 + 14 * prng.next()) * (prng.next() < 0.5 ? -1 : 1);
      const { shares } = source.score((r) => {
        r[planted] = (r[planted] as number) + by;
      });
      const total = shares.reduce((sum, share) => sum + Math.abs(share), 0);
      assert.ok(total < 1 + 1e-9);
      if (singleDriver(shares) === planted && Math.sign(shares[planted] as number) === Math.sign(by)) top += 1;
    }
    assert.ok(top >= 0.95 * CASES, `${top} of ${CASES}`);
  });
}

test('no single driver is named when all series move together, nor when nothing happens', () => {
  const prng = createPrng(12);
  const source = warmedUp((p) => p.normal(), prng);
  let named = 0;
  for (let i = 0; i < 40; i++) {
    const { score, shares } = source.score((r) => {
      for (let j = 0; j < SERIES; j++) r[j] = (r[j] as number) + 12;
    });
    assert.ok(score > 1);
    named += singleDriver(shares) >= 0 ? 1 : 0;
  }
  assert.ok(named <= 4, `${named} of 40`);
  let calm = 0;
  for (let i = 0; i < 40; i++) calm += singleDriver(source.score(() => {}).shares) >= 0 ? 1 : 0;
  assert.ok(calm <= 10, `${calm} of 40`);
});
