import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { createDispersion, dispersionOf, learnDispersion } from './dispersion.ts';
import { createTailCalibration, learnTail, tailEvidence } from './tail-calibration.ts';

test('dispersion finds the squared coefficient of variation of a bursty count', () => {
  const prng = createPrng(3);
  const state = createDispersion();
  for (let i = 0; i < 5000; i++) {
    const rate = 200 * Math.max(0, 1 + 0.3 * prng.normal());
    const count = Math.round(rate + Math.sqrt(rate) * prng.normal());
    learnDispersion(state, count, 200, dispersionOf(state, 0.0004, 0.01, 200), 0.9999);
  }
  const learned = dispersionOf(state, 0.0004, 0.01, 200);
  assert.ok(learned > 0.07 && learned < 0.11, `${learned} is not about 0.09`);
});

test('dispersion of a Poisson count falls to the floor and one outburst hardly moves it', () => {
  const prng = createPrng(4);
  const state = createDispersion();
  const learn = (count: number) => learnDispersion(state, count, 100, dispersionOf(state, 0.0004, 0.01, 100), 0.9999);
  for (let i = 0; i < 3000; i++) learn(Math.round(100 + 10 * prng.normal()));
  const quiet = dispersionOf(state, 0.0004, 0.01, 100);
  learn(100_000);
  const after = dispersionOf(state, 0.0004, 0.01, 100);
  assert.ok(quiet < 0.003, `${quiet}`);
  assert.ok(after - quiet < 0.0005, `${after}`);
});

test('evidence of a Gaussian series is near the true tail, and never below its own history of bursts', () => {
  const prng = createPrng(5);
  const gaussian = createTailCalibration();
  const bursty = createTailCalibration();
  for (let i = 0; i < 20_000; i++) {
    learnTail(gaussian, prng.normal());
    learnTail(bursty, prng.next() < 0.03 ? 8 * prng.exponential() : prng.normal());
  }
  const [calm, wild] = [tailEvidence(gaussian, 5), tailEvidence(bursty, 5)];
  assert.ok(calm > 4 && calm < 6.6, `${calm}`);
  assert.ok(wild < 3, `${wild}`);
  assert.ok(tailEvidence(bursty, 60) > tailEvidence(bursty, 20));
});

test('the same residual says less while little history is known', () => {
  const young = createTailCalibration();
  const old = { ...createTailCalibration(), count: 10_000 };
  assert.ok(tailEvidence(young, 6) < tailEvidence(old, 6));
  assert.equal(tailEvidence(young, 1), 0);
});
