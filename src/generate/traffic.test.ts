import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { poisson, smoothNoise } from './random-field.ts';
import { diurnalFactor, weeklyFactor } from './traffic.ts';

const HOUR_MS = 3_600_000;
const MONDAY_MS = Date.parse('2025-10-06T00:00:00Z');

function meanOver(hours: number, factor: (ms: number) => number): number {
  let sum = 0;
  for (let step = 0; step < hours * 10; step++) sum += factor(MONDAY_MS + step * (HOUR_MS / 10));
  return sum / (hours * 10);
}

test('the daily curve has mean 1, a peak in the afternoon and a trough before dawn', () => {
  assert.ok(Math.abs(meanOver(24, diurnalFactor) - 1) < 1e-6);
  const curve = Array.from({ length: 24 }, (_, hour) => diurnalFactor(hour * HOUR_MS));
  assert.ok(Math.min(...curve) > 0.3);
  const peak = curve.indexOf(Math.max(...curve));
  const trough = curve.indexOf(Math.min(...curve));
  assert.ok(peak >= 13 && peak <= 18, `peak at ${peak}`);
  assert.ok(trough <= 6, `trough at ${trough}`);
});

test('the weekly curve has mean 1, lower weekends and no jump at midnight', () => {
  assert.ok(Math.abs(meanOver(7 * 24, weeklyFactor) - 1) < 0.01);
  assert.ok(weeklyFactor(MONDAY_MS + 5.5 * 24 * HOUR_MS) < weeklyFactor(MONDAY_MS + 12 * HOUR_MS) - 0.2);
  for (let day = 0; day < 7; day++) {
    const midnight = MONDAY_MS + day * 24 * HOUR_MS;
    assert.ok(Math.abs(weeklyFactor(midnight - 1000) - weeklyFactor(midnight + 1000)) < 0.01);
  }
});

test('smooth noise is continuous, bounded and a function of key and place', () => {
  let previous = smoothNoise(7, 0);
  for (let x = 0.01; x < 20; x += 0.01) {
    const value = smoothNoise(7, x);
    assert.ok(Math.abs(value) < 1.74);
    assert.ok(Math.abs(value - previous) < 0.1);
    previous = value;
  }
  assert.equal(smoothNoise(7, 3.3), smoothNoise(7, 3.3));
  assert.notEqual(smoothNoise(7, 3.3), smoothNoise(8, 3.3));
});

test('Poisson draws have the asked mean and variance, small and large', () => {
  for (const mean of [0.5, 5, 80]) {
    const prng = createPrng(3);
    const draws = Array.from({ length: 20_000 }, () => poisson(prng, mean));
    const average = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - average) ** 2, 0) / draws.length;
    assert.ok(Math.abs(average / mean - 1) < 0.04, `mean ${average}`);
    assert.ok(Math.abs(variance / mean - 1) < 0.06, `variance ${variance}`);
  }
});
