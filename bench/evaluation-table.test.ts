import assert from 'node:assert/strict';
import test from 'node:test';
import { meanFigure, quantileFigure, rateFigure, ratioFigure, shareFigure, type Figure } from '../src/evaluate/figure.ts';
import { createPrng } from '../src/lib/prng.ts';
import { sectionOf, withParts, withSection } from './evaluation-document.ts';
import { joinSets, poolSeeds } from './evaluation-pooling.ts';
import { fromJson, toJson, type EvaluationRecord, type EvaluationRun } from './evaluation-record.ts';
import { evaluationTable } from './evaluation-table.ts';

const prng = createPrng(1);
const run = (set: string, detector: EvaluationRun['detector'], seed: number, ...figures: Figure[]): EvaluationRun => ({
  detector,
  seed,
  set,
  report: { set, layout: 'servers', recordings: 1, seconds: 1, figures },
});

test('seeds are averaged, and do not count as further incidents', () => {
  const values = Array.from({ length: 40 }, (_, i) => i / 40);
  const one = poolSeeds([meanFigure('m', values, 'faults', prng)]);
  const five = poolSeeds(Array.from({ length: 5 }, () => meanFigure('m', values, 'faults', prng)));
  assert.ok(one && five);
  assert.deepEqual([five.value, five.n, five.seeds], [one.value, 40, 5]);
  assert.ok(Math.abs(five.high - five.low - (one.high - one.low)) < 0.04, `${five.low} ${five.high} ${one.low} ${one.high}`);
});

test('the interval of seeds that differ covers them, and their range is shown', () => {
  const pooled = poolSeeds([meanFigure('m', [0.2, 0.2], 'x', prng), meanFigure('m', [0.6, 0.6], 'x', prng)]);
  assert.ok(pooled);
  assert.ok(Math.abs(pooled.value - 0.4) < 1e-12);
  assert.deepEqual([pooled.smallest, pooled.largest], [0.2, 0.6]);
  assert.ok(pooled.low < 0.21 && pooled.high > 0.59);
});

test('hits alone are no certainty, and no false alarm is no proof of none', () => {
  const hits = poolSeeds([shareFigure('recall', 10, 10, 'faults'), shareFigure('recall', 10, 10, 'faults')]);
  assert.ok(hits && hits.low > 0.6 && hits.low < 0.8 && hits.high > 0.999);
  const none = poolSeeds([rateFigure('false', 0, 2, 'days')]);
  assert.ok(none && none.low === 0 && Math.abs(none.high - 3.689 / 2) < 0.001);
});

test('a miss is infinitely late, in the quantile and in its interval', () => {
  const figure = quantileFigure({ measure: 'delay', values: [1, 2, Infinity, Infinity, 3], quantile: 0.5, of: 'faults', prng });
  const pooled = poolSeeds([fromJson(toJson(figure)) as Figure]);
  assert.deepEqual([pooled?.value, pooled?.high], [3, Infinity]);
  assert.ok(Number.isNaN(fromJson(toJson(NaN))));
});

test('sets that are joined are weighed by what is in them', () => {
  const items = (n: number, hits: number): (readonly [number, number])[] =>
    Array.from({ length: n }, (_, i) => [i < hits ? 2 : 0, i < hits ? 2 : 1]);
  const joined = joinSets([
    ratioFigure({ measure: 'F1', items: items(4, 4), of: 'x', prng }),
    ratioFigure({ measure: 'F1', items: items(8, 0), of: 'x', prng }),
  ]);
  assert.deepEqual([joined?.value, joined?.n], [0.5, 12]);
});

test('the table says whether an aim is reached for sure, shows baselines and failures, and every measure of an unknown set', () => {
  const record: EvaluationRecord = {
    seeds: [1],
    seconds: 1,
    runs: [
      run('asd', 'helios', 1, meanFigure('AUC-PR', [0.6, 0.7, 0.65], 'entities', prng)),
      run('asd', 'forest', 1, meanFigure('AUC-PR', [0.1], 'entities', prng)),
      run('mine', 'helios', 1, shareFigure('anything', 1, 2, 'things')),
      { detector: 'pca', seed: 1, set: 'asd', error: 'out of memory' },
    ],
  };
  const lines = evaluationTable(record, { isMarkdown: true, isFull: false }).split('\n');
  const row = lines.find((line) => line.startsWith('| asd | AUC-PR |'));
  assert.match(
    row ?? '',
    /\| 0\.650 \| 0\.600 to 0\.700 \|.*\| - \| 0\.100 \| - \|.*measured on these files.*≥ 0\.52: reached \|$/,
  );
  assert.ok(lines.some((line) => line.startsWith('| asd | VUS-PR | not measured |')));
  assert.ok(lines.some((line) => line.startsWith('| mine | anything | 0.500 |')));
  assert.ok(lines.includes('Failed: pca with seed 1 on asd: out of memory'));
});

test('a section of a document is replaced between its marks, and one without marks is refused', () => {
  const text = 'a\n<!-- begin t -->\nold\n<!-- end t -->\nb';
  assert.equal(withSection(text, 't', 'new'), 'a\n<!-- begin t -->\n\nnew\n\n<!-- end t -->\nb');
  assert.throws(() => withSection(text, 'u', ''), /section u/);
  assert.equal(sectionOf(text, 't'), 'old');
  assert.equal(
    withParts(
      '### b\n\n1\n\n### c\n\n2',
      new Map([
        ['c', '3'],
        ['a', '4'],
      ]),
    ),
    '### a\n\n4\n\n### b\n\n1\n\n### c\n\n3',
  );
});
