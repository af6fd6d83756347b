import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { rankByRobustScore, type Ranker } from '../cause-ranking.ts';
import type { Figure } from '../figure.ts';
import type { EntityTable } from '../telemetry.ts';
import { scoreComponentIssues } from './component-issues.ts';

const STEP_MS = 300_000;
/** Two days, so that one false row a day is one in the second half. */
const NORMAL_ROWS = 576;
const ROWS = NORMAL_ROWS + 5;
const timeMs = Float64Array.from({ length: ROWS }, (_, row) => row * STEP_MS);

function table(entity: string, faulty: number): EntityTable {
  const isFaulty = (row: number): boolean => row > NORMAL_ROWS && row < NORMAL_ROWS + 4;
  const values = Float64Array.from({ length: ROWS }, (_, row) => (row % 3) + (isFaulty(row) ? faulty : 0));
  return { entity, series: ['latency Average'], timeMs, values };
}

/** An issue whose target scores 3 and 2 once each in the second half of its normal rows, and 2.5 in the third row of the issue. */
function issue() {
  const score = new Float64Array(ROWS);
  score[100] = 9;
  score[400] = 3;
  score[500] = 2;
  score[NORMAL_ROWS + 2] = 2.5;
  const verdicts = {
    entity: 'front',
    series: ['latency Average'],
    timeMs,
    endMs: timeMs.map((time) => time + STEP_MS),
    score,
    firing: Uint8Array.from(score, (value) => Number(value > 2.2)),
    residuals: new Float32Array(ROWS),
  };
  return {
    name: 'calm/issue_1',
    telemetry: { tables: [table('front', 9), table('back', 40)], eventsPath: null, calls: [['front', 'back'] as const] },
    truth: {
      scenario: 'calm',
      target: 'front',
      targetMetric: 'latency',
      targetSeries: 'latency Average',
      rootCause: 'back',
      normalRows: NORMAL_ROWS,
      firstMs: timeMs[NORMAL_ROWS] as number,
      stepMs: STEP_MS,
    },
    detection: { verdicts: [verdicts], incidents: null, seconds: 1 },
  };
}

const valueOf = (figures: readonly Figure[], measure: string): number =>
  figures.find((own) => own.measure === measure)?.value ?? assert.fail(measure);

test('an issue is found above the score that leaves so many false rows a day on the second half of the normal ones', () => {
  const figures = scoreComponentIssues([issue()], rankByRobustScore, createPrng(1));
  assert.equal(valueOf(figures, 'recall at 0 false rows a day'), 0);
  assert.equal(valueOf(figures, 'recall at 1 false rows a day'), 1);
  assert.equal(valueOf(figures, 'delay median at 1 false rows a day, rows'), 2);
  assert.equal(valueOf(figures, 'recall as it fires'), 1);
  assert.equal(valueOf(figures, 'false rows per day as it fires'), 1);
});

test('names of nodes are dealt out anew: a ranker that looks at data finds the root again, one that prefers a name does not', () => {
  const byName: Ranker = ({ entities }) => ({
    byEntity: new Map(entities.map(({ name }) => [name, name === 'back' ? 1 : 0])),
    bySeries: new Map(),
  });
  const issues = Array.from({ length: 30 }, issue);
  const [honest, biased] = [rankByRobustScore, byName].map((rank) => scoreComponentIssues(issues, rank, createPrng(1)));
  assert.equal(valueOf(honest ?? [], 'root at t0, node names permuted: AC@1'), 1);
  assert.equal(valueOf(biased ?? [], 'root at t0: AC@1'), 1);
  assert.ok(valueOf(biased ?? [], 'root at t0, node names permuted: AC@1') < 0.8);
});
