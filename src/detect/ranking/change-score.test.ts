import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { changeScore, quantile } from './change-score.ts';

const prng = createPrng(7);
const noise = (length: number, level: number, spread: number): number[] =>
  Array.from({ length }, () => level + spread * prng.normal());

test('a quantile lies between order statistics, and an empty array has none', () => {
  assert.equal(quantile([1, 2, 4], 0.75), 3);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a jump far outside the usual scores high with its direction, and none scores about one', () => {
  const normal = noise(200, 10, 1);
  const up = changeScore(normal, noise(5, 40, 1));
  assert.ok(up.score > 10 && up.direction === 'up');
  assert.equal(changeScore(normal, noise(5, -20, 1)).direction, 'down');
  assert.ok(changeScore(normal, noise(5, 10, 1)).score < 2.5);
});

test('a deviation as large as windows of that length usually reach scores one, however rare it is in single rows', () => {
  const bursts = Array.from({ length: 300 }, (_, i) => 10 + (i % 10 === 0 ? 5 : (i % 2) / 10));
  const quiet = Array.from({ length: 20 }, (_, i) => 10 + (i === 3 ? 5 : 0));
  assert.equal(changeScore(bursts, quiet).score, 1);
  assert.ok(changeScore(bursts, [15]).score > 5);
});

test('a series that never moved scores by its move, and no more than its floor allows', () => {
  const constant = Array.from({ length: 200 }, () => 0);
  assert.ok(changeScore(constant, [3]).score <= 20);
  assert.ok(Math.abs(changeScore(constant, [3]).score - changeScore(constant, [3000]).score) < 1e-9);
  assert.ok(
    changeScore(
      constant.map(() => 100),
      [101],
    ).score < 1,
  );
});

test('normal rows that are wrong in a sixth of cases do not hide the change', () => {
  const normal = [...noise(250, 10, 1), ...noise(50, 90, 1)];
  assert.ok(changeScore(normal, noise(5, 90, 1)).score > 10);
});

test('a level that already held just before is no change', () => {
  const normal = noise(200, 10, 1);
  assert.ok(changeScore(normal, [20, 20], [20]).score === 0);
  assert.ok(changeScore(normal, [20, 20], [10]).score > 4);
});

test('missing values and too short a history score zero', () => {
  assert.equal(changeScore([1, 1, 1], [NaN, NaN]).score, 0);
  assert.ok(Number.isNaN(changeScore([1, 1, 1], [NaN]).observed));
  assert.equal(changeScore([NaN, 1], [50]).score, 0);
});

test('a success share is measured from its ceiling', () => {
  const normal = Array.from({ length: 200 }, (_, i) => 99.9 - (i % 2) * 0.1);
  const scale = { ideal: 100, least: 0.1 };
  assert.ok(changeScore(normal, [97], [], scale).score > 10);
  assert.ok(changeScore(normal, [97]).score < 1);
});
