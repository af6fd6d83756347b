import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import {
  busiestRate,
  createTrafficLevel,
  expectedTraffic,
  learnTraffic,
  settleTraffic,
  usesSeason,
  usualTraffic,
} from './traffic-level.ts';

const DAY_STEPS = 8640;
const daily = (step: number): number => 100 * (1 - 0.8 * Math.cos((2 * Math.PI * step) / DAY_STEPS));

function learnDays(days: number, rate: (step: number) => number, seed = 1) {
  const prng = createPrng(seed);
  const level = createTrafficLevel();
  for (let step = 0; step < days * DAY_STEPS; step++) {
    const mean = rate(step);
    learnTraffic(level, step, Math.max(0, Math.round(mean + Math.sqrt(mean) * prng.normal())), 0.01);
  }
  return level;
}

test('a steady rate is expected after five minutes', () => {
  const level = learnDays(30 / DAY_STEPS, () => 50);
  assert.ok(Math.abs(expectedTraffic(level, 31) / 50 - 1) < 0.1);
});

test('a slope is followed with little lag before any season is known', () => {
  const level = createTrafficLevel();
  for (let step = 0; step < 1080; step++) learnTraffic(level, step, daily(step + 1080), 0.01);
  const expected = expectedTraffic(level, 1100);
  assert.ok(Math.abs(expected / daily(2180) - 1) < 0.06, `${expected} against ${daily(2180)}`);
});

test('after two days the time of day is expected, hours ahead of the level', () => {
  const level = learnDays(2.5, daily);
  assert.ok(usesSeason(level, 2.5 * DAY_STEPS));
  const later = 2.5 * DAY_STEPS + 1440;
  assert.ok(Math.abs(expectedTraffic(level, later) / daily(later) - 1) < 0.15);
});

test('traffic without a daily shape is not given one', () => {
  const prng = createPrng(9);
  let walk = 0;
  const level = learnDays(3, () => {
    walk = 0.9995 * walk + 0.02 * prng.normal();
    return 100 * Math.exp(walk);
  });
  const now = expectedTraffic(level, 3 * DAY_STEPS);
  assert.ok(Math.abs(Math.log(now / (100 * Math.exp(walk)))) < 0.5);
});

test('one wild step hardly moves what is expected', () => {
  const level = learnDays(0.1, () => 50);
  const before = expectedTraffic(level, 864);
  learnTraffic(level, 864, 1e6, 0.01);
  assert.ok(expectedTraffic(level, 865) < 1.05 * before);
});

test('a level that is settled on is expected at once, and earlier days at this time stay known beside it', () => {
  const level = learnDays(2.5, daily);
  const step = 2.5 * DAY_STEPS;
  settleTraffic(level, step, 20);
  assert.ok(Math.abs(expectedTraffic(level, step) - 20) < 0.5);
  assert.ok(Math.abs(usualTraffic(level, step) / daily(step) - 1) < 0.1);
  assert.ok(Math.abs(busiestRate(level) / 180 - 1) < 0.1);
});

test('before two days nothing is usual at a time of day', () => {
  assert.ok(Number.isNaN(usualTraffic(learnDays(0.5, daily), 0.5 * DAY_STEPS)));
});
