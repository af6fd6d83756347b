import assert from 'node:assert/strict';
import test from 'node:test';
import { ratioOf } from '../figure.ts';
import { NAB_PROFILES, nabParts, nabRaw, positionWeight, type NabProfile, type NabSeries } from './nab-score.ts';

const standard = NAB_PROFILES[0] as NabProfile;
const nabScore = (series: readonly NabSeries[], profile: NabProfile): number =>
  ratioOf(series.map((own) => nabParts(own, profile)));
const rows = (length: number, ...firing: number[]) => Uint8Array.from({ length }, (_, i) => Number(firing.includes(i)));

test('silence scores 0 and the first row of every window 100', () => {
  assert.equal(nabScore([{ firing: rows(20), windows: [[5, 9]] }], standard), 0);
  assert.equal(nabScore([{ firing: rows(20, 5, 9), windows: [[5, 9]] }], standard), 100);
  assert.ok(Number.isNaN(nabScore([{ firing: rows(20), windows: [] }], standard)));
});

test('later rows of a window earn less, and only the best counts', () => {
  const late = nabRaw({ firing: rows(20, 9), windows: [[5, 9]] }, standard);
  assert.equal(late, positionWeight(-0.2) / positionWeight(-1));
  assert.equal(nabRaw({ firing: rows(20, 8, 9), windows: [[5, 9]] }, standard), positionWeight(-0.4) / positionWeight(-1));
});

test('a row outside costs by its distance behind the last window, and all of it before the first', () => {
  const cost = (row: number): number => nabRaw({ firing: rows(40, 5, row), windows: [[5, 9]] }, standard) - 1;
  assert.ok(Math.abs(cost(0) + 0.11) < 1e-12);
  assert.ok(Math.abs(cost(10) - 0.11 * positionWeight(0.25)) < 1e-12);
  assert.ok(Math.abs(cost(30) + 0.11) < 1e-12);
  assert.equal(nabRaw({ firing: rows(9, 4, 8), windows: [[4, 4]] }, standard), 1 - 0.11);
});

test('a profile weighs misses and false rows its own way', () => {
  const series = [{ firing: rows(40, 0), windows: [[20, 29]] as const }];
  const scores = NAB_PROFILES.map((profile) => nabScore(series, profile));
  assert.deepEqual(
    scores.map((score) => Math.round(score * 10) / 10),
    [-5.5, -11, -3.7],
  );
});
