import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { GridRow } from '../model/model-record.ts';
import { FEATURES } from '../model/rollup.ts';
import { gridFeatureSets, gridTableOf, searchForestGrid, type GridHistory, type GridOptions } from './forest-grid.ts';

/** Windows of noise, of which every 20th is far off. */
function history(count: number, hasTruth: boolean): GridHistory {
  const prng = createPrng(4);
  const truth = Array.from({ length: count }, (_, i) => i % 20 === 7);
  const rows = truth.map((isOdd) => Float64Array.from(FEATURES, () => prng.normal() + (isOdd ? 8 : 0)));
  return { rows, truth: hasTruth ? truth : null };
}

function search(options: Partial<GridOptions>): { rows: GridRow[]; shares: number[] } {
  const usual = {
    treeCounts: [30],
    sampleCounts: [64],
    contaminations: [0.05],
    featureSets: [['error_rate', 'p95_latency'] as const],
  };
  const generator = searchForestGrid({ histories: [history(400, false)], ...usual, ...options });
  const shares: number[] = [];
  for (let step = generator.next(); ; step = generator.next()) {
    if (step.done) return { rows: step.value, shares };
    shares.push(step.value);
  }
}

test('every combination has a row, and the share done is told between forests', () => {
  const { rows, shares } = search({
    treeCounts: [10, 20],
    contaminations: [0.02, 0.05],
    histories: [history(100, false), history(100, false)],
  });
  assert.deepEqual(
    rows.map(({ trees, contamination }) => [trees, contamination]),
    [
      [10, 0.02],
      [10, 0.05],
      [20, 0.02],
      [20, 0.05],
    ],
  );
  assert.deepEqual(shares, [0.25, 0.5, 0.75, 1]);
  assert.ok(rows.every(({ precision, recall, f1 }) => precision === null && recall === null && f1 === null));
});

test('data with something to find is judged more alike by two forests than noise', () => {
  const prng = createPrng(9);
  const noise = Array.from({ length: 400 }, () => Float64Array.from(FEATURES, () => prng.normal()));
  const found = search({}).rows[0] as GridRow;
  const nothing = search({ histories: [{ rows: noise, truth: null }], treeCounts: [5] }).rows[0] as GridRow;
  assert.ok(found.flagAgreement > nothing.flagAgreement + 0.2, `${found.flagAgreement} ${nothing.flagAgreement}`);
  assert.ok(found.stability > nothing.stability);
});

test('with truth, precision and recall are those of windows that the judging half has not seen', () => {
  const { rows } = search({ histories: [history(400, true)], contaminations: [0.05, 0.3] });
  const [fitting, loose] = rows as [GridRow, GridRow];
  assert.ok((fitting.precision ?? 0) > 0.9 && (fitting.recall ?? 0) > 0.8, JSON.stringify(fitting));
  assert.ok((loose.precision ?? 1) < 0.4 && loose.recall === 1, JSON.stringify(loose));
  assert.equal(gridTableOf(rows)?.best.contamination, 0.05);
});

test('of rows that are equally good the cheapest is kept', () => {
  const [row] = search({}).rows as [GridRow];
  const rows = [
    { ...row, trees: 200, stability: 0.905 },
    { ...row, trees: 50, stability: 0.9 },
    { ...row, trees: 10, stability: 0.7 },
  ];
  const table = gridTableOf(rows);
  assert.equal(table?.best.trees, 50);
  assert.deepEqual(
    table.rows.map(({ trees }) => trees),
    [200, 50, 10],
  );
  assert.equal(gridTableOf([]), undefined);
  assert.deepEqual(search({ histories: [history(10, false)] }).rows, [], 'too short a history is left out');
});

test('feature sets are the configured one, all, and those without traffic, each once', () => {
  assert.deepEqual(gridFeatureSets(['event_count', 'error_rate']), [
    ['event_count', 'error_rate'],
    [...FEATURES],
    ['error_rate'],
  ]);
  assert.deepEqual(gridFeatureSets(['error_rate']), [['error_rate'], [...FEATURES]]);
  assert.deepEqual(gridFeatureSets([...FEATURES]).length, 2);
});
