import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateGrid } from './step-estimate.ts';
import { addPoint, closeTicks, createTickRows, type TickRowsState } from './tick-rows.ts';

const T0 = Date.parse('2026-03-02T10:00:00Z');

function rowsOf(state: TickRowsState, untilMs: number, seriesCount: number): number[][] {
  const rows: number[][] = [];
  closeTicks(state, untilMs, seriesCount, ({ timeMs, values }) => rows.push([timeMs - T0, ...values]));
  return rows;
}

test('the step is the median distance of stamps, snapped to a usual one', () => {
  const jitter = [0, 59_400, 120_300, 180_100, 239_800];
  assert.equal(estimateGrid(jitter.map((ms) => T0 + ms)).stepMs, 60_000);
  assert.equal(estimateGrid([0, 7000, 14_000].map((ms) => T0 + ms)).stepMs, 7000);
  assert.equal(estimateGrid([0, 1, 2].map((ms) => T0 + ms)).stepMs, 1000, 'no finer than a second');
  assert.equal(estimateGrid([0, 86_400_000].map((ms) => T0 + ms)).stepMs, 3_600_000, 'no coarser than an hour');
});

test('stamps that jitter around a boundary of the minute stay one row each', () => {
  const state = createTickRows();
  for (let i = 0; i < 40; i++) addPoint(state, 0, T0 + i * 60_000 + (i % 2 === 0 ? 900 : -900), i, 'last');
  const rows = rowsOf(state, Infinity, 1);
  assert.deepEqual(
    rows.map((row) => row[1]),
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test('a tick closes when its end has passed, and before that only when it has as many points as usual', () => {
  const state = createTickRows();
  const add = (second: number, count: number): void => {
    for (let series = 0; series < count; series++) addPoint(state, series, T0 + second * 1000, second, 'last');
  };
  for (let second = 0; second < 6; second++) add(second, 2);
  assert.equal(rowsOf(state, T0 + 5500, 2).length, 6);
  add(6, 2);
  assert.deepEqual(rowsOf(state, T0 + 6000, 2), [[6000, 6, 6]], 'complete');
  add(7, 1);
  assert.deepEqual(rowsOf(state, T0 + 7400, 2), []);
  assert.deepEqual(rowsOf(state, T0 + 7500, 2), [[7000, 7, NaN]], 'over');
});

test('points of one tick are the last, the sum or the mean, and a missing series is NaN', () => {
  const state = createTickRows();
  for (let i = 0; i < 6; i++) addPoint(state, 0, T0 + i * 1000, i, 'last');
  rowsOf(state, T0 + 5500, 1);
  for (const [series, aggregation] of (['last', 'sum', 'mean'] as const).entries()) {
    for (const value of [1, 2, 6]) addPoint(state, series, T0 + 6000, value, aggregation);
  }
  addPoint(state, 0, T0 + 6000, NaN, 'last');
  assert.deepEqual(rowsOf(state, Infinity, 4), [[6000, 6, 9, 3, NaN]]);
});

test('a point of a closed tick is counted and dropped', () => {
  const state = createTickRows();
  for (let i = 0; i < 10; i++) addPoint(state, 0, T0 + i * 1000, i, 'last');
  rowsOf(state, Infinity, 1);
  addPoint(state, 0, T0 + 3000, 99, 'last');
  assert.equal(state.latePoints, 1);
  assert.deepEqual(rowsOf(state, Infinity, 1), []);
});

test('points far ahead do not pile up ticks without bound', () => {
  const state = createTickRows();
  for (let i = 0; i < 200; i++) addPoint(state, 0, T0 + i * 1000, i, 'last');
  rowsOf(state, -Infinity, 1);
  assert.equal(state.open.size, 16);
});
