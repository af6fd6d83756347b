import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { Regime } from '../model/anomaly.ts';
import { createCourse, hasTrend, nextRegime, recordCourse } from './regime.ts';

function regimesOf(values: readonly number[], first: Regime = 'spike'): Regime[] {
  const course = createCourse();
  let regime = first;
  return values.map((value) => {
    recordCourse(course, value);
    regime = nextRegime(regime, course);
    return regime;
  });
}

const noisy = (count: number, level: (i: number) => number, seed = 1): number[] => {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, i) => level(i) + 0.1 * prng.normal());
};

test('a level that stays is a spike or a drop first, and a shift after half an hour', () => {
  const up = regimesOf(noisy(60, () => 1.5));
  assert.deepEqual([up[0], up[28], up[29], up.at(-1)], ['spike', 'spike', 'shift', 'shift']);
  const down = regimesOf(
    noisy(60, () => -1.5),
    'drop',
  );
  assert.deepEqual([down[0], down.at(-1)], ['drop', 'shift']);
});

test('an effect that keeps growing is a drift, and a shift once it has levelled off', () => {
  const regimes = regimesOf(noisy(140, (i) => Math.min(2.5, 0.3 + 0.05 * i)));
  assert.equal(regimes[40], 'drift');
  assert.equal(regimes.at(-1), 'shift');
});

test('noise about a level is no trend, nor is an effect that fades', () => {
  for (let seed = 1; seed <= 40; seed++) assert.equal(hasTrend(noisy(16, () => 1, seed)), false, `seed ${seed}`);
  assert.equal(hasTrend(noisy(16, (i) => -1 + 0.05 * i)), false);
  assert.equal(hasTrend(noisy(16, (i) => -0.1 * i)), true);
});

test('a course of a week stays bounded', () => {
  const course = createCourse();
  for (let minute = 0; minute < 7 * 1440; minute++) recordCourse(course, 1);
  assert.ok(course.values.length < 32);
  assert.ok(course.values.every((value) => value === 1));
});
