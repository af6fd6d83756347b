import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { RowJudge } from './row-judge.ts';

const STEP_MS = 300_000;

/** Scores of two noisy series, the second `fault(row)` noises higher. */
function scores(rows: number, fault: (row: number) => number): number[] {
  const judge = new RowJudge({ stepMs: STEP_MS, seed: 1, falseAlarmBudget: 0.05 });
  const prng = createPrng(3);
  return Array.from({ length: rows }, (_, tick) => {
    const values = Float64Array.of(50 + 5 * prng.normal(), 50 + 5 * prng.normal() + 5 * fault(tick));
    return judge.judge({ tick, timeMs: tick * STEP_MS, values }).score;
  });
}

test('the rows after a spike score lower than a spike of a fifth of its size', () => {
  const scored = scores(408, (row) => (row === 403 ? 60 : row === 300 ? 12 : 0));
  const lesser = scored[300] as number;
  assert.ok((scored[403] as number) > lesser);
  for (const after of scored.slice(404)) assert.ok(after < lesser, `${after} ${lesser}`);
});

test('the rows of what lasts go on scoring', () => {
  const scored = scores(408, (row) => (row >= 403 ? 60 : 0));
  for (const lasting of scored.slice(403)) assert.ok(lasting > 2, String(lasting));
});
