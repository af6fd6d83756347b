import assert from 'node:assert/strict';
import test from 'node:test';
import { rankMetricCauses } from '../ranking/metric-causes.ts';
import { addRecentRow, aroundOnset, createRecentRows, type RecentRows } from './recent-rows.ts';

const STEP_MS = 10_000;

/** Forty rows whose `cpu` rises five times from row 30 on when it is to blame; `queue` joins at row 5. */
function rows(isRoot: boolean): RecentRows {
  const recent = createRecentRows();
  for (let row = 0; row < 40; row++) {
    const cpu = (row % 3) + 20 + (isRoot && row >= 30 ? 100 : 0);
    const series = row < 5 ? ['cpu'] : ['cpu', 'queue'];
    addRecentRow(recent, series, row * STEP_MS, Float64Array.of(cpu, (row % 2) + 5).subarray(0, series.length));
  }
  return recent;
}

test('an entity is split at the onset, and values before a series came are missing', () => {
  const entity = aroundOnset('shop', rows(true), 30 * STEP_MS, 40 * STEP_MS);
  assert.deepEqual(
    entity?.series.map(({ name, normal, anomalous }) => [name, normal.length, anomalous.length]),
    [
      ['cpu', 30, 10],
      ['queue', 30, 10],
    ],
  );
  assert.ok(Number.isNaN(entity.series[1]?.normal[0]));
});

test('a resource metric that moves at the onset puts its service first', () => {
  const entities = ['a', 'b', 'c'].map((name) => aroundOnset(name, rows(name === 'b'), 30 * STEP_MS, 40 * STEP_MS));
  const { byEntity } = rankMetricCauses({ entities: entities.flatMap((entity) => entity ?? []) });
  assert.deepEqual([byEntity[0]?.entity, byEntity[0]?.series], ['b', 'cpu']);
  assert.ok((byEntity[0]?.score ?? 0) > 0.5 && (byEntity[1]?.score ?? 1) < 0.5);
});

test('too few rows before an onset, or none since, say nothing', () => {
  assert.equal(aroundOnset('shop', rows(true), 9 * STEP_MS, 40 * STEP_MS), undefined);
  assert.equal(aroundOnset('shop', rows(true), 41 * STEP_MS, 50 * STEP_MS), undefined);
});

test('rows are bounded in number, and fast ones are thinned', () => {
  const recent = createRecentRows();
  for (let second = 0; second < 2000; second++) addRecentRow(recent, ['x'], second * 1000, Float64Array.of(second));
  assert.equal(recent.rows.length, 96);
  assert.equal(recent.rows[1] && recent.rows[0] && recent.rows[1].timeMs - recent.rows[0].timeMs, STEP_MS);
});
