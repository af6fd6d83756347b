import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import type { EvaluatedStream } from '../evaluated-stream.ts';
import type { Figure } from '../figure.ts';
import type { RowTruth } from '../layouts/server-rows.ts';
import { segmentsOf } from '../measures/row-segment.ts';
import { verdictLines } from '../verdict-lines.ts';
import { scoreFeaturePairs, scoreLabelledSeries, scoreServers, scoreWindowedSeries } from './row-sets.ts';

const STEP_MS = 300_000;

interface Rows {
  name?: string;
  rows: number;
  faulty: number[];
  firing: number[];
  firstScored: number;
  causes?: string[][];
}

/** A recording of two series whose score is 2 where it fires and 0 elsewhere; the residual of `b` is largest there. */
function stream({ name = 'x', rows, faulty, firing, firstScored, causes }: Rows): EvaluatedStream<RowTruth> {
  const timeMs = Float64Array.from({ length: rows }, (_, row) => row * STEP_MS);
  const fires = Uint8Array.from({ length: rows }, (_, row) => Number(firing.includes(row)));
  const labels = Uint8Array.from({ length: rows }, (_, row) => Number(faulty.includes(row)));
  const segments = segmentsOf(labels);
  const residuals = Float32Array.from({ length: 2 * rows }, (_, i) => (fires[i >> 1] ? 1 + (i % 2) : 0));
  const verdicts = {
    entity: name,
    series: ['a', 'b'],
    timeMs,
    endMs: timeMs.map((time) => time + STEP_MS),
    score: Float64Array.from(fires, (value) => 2 * value),
    firing: fires,
    residuals,
  };
  return {
    name,
    telemetry: {
      tables: [{ entity: name, series: ['a', 'b'], timeMs, values: new Float64Array(2 * rows) }],
      eventsPath: null,
      calls: [],
    },
    truth: { labels, firstScored, segments, causes: causes ?? segments.map(() => []) },
    detection: { verdicts: [verdicts], incidents: null, seconds: 1 },
  };
}

const valueOf = (figures: readonly Figure[], measure: string): number => {
  const figure = figures.find((own) => own.measure === measure);
  assert.ok(figure, `${measure} in ${figures.map((own) => own.measure).join('; ')}`);
  return figure.value;
};

test('servers: hits, false episodes and metrics at fault by hand', () => {
  const own = stream({
    rows: 400,
    firstScored: 100,
    faulty: [10, 200, 201, 202, 300],
    firing: [5, 201, 250, 260, 350],
    causes: [[], ['b'], ['a']],
  });
  const figures = scoreServers([own], createPrng(1));
  assert.equal(valueOf(figures, 'segment precision'), 1 / 3);
  assert.equal(valueOf(figures, 'segment recall'), 1 / 2);
  assert.equal(valueOf(figures, 'segment F1'), 0.4);
  assert.equal(valueOf(figures, 'AUC-PR'), (1 / 4) * (1 / 4) + (3 / 4) * (4 / 300));
  assert.equal(valueOf(figures, 'incident precision'), 1 / 4);
  assert.equal(valueOf(figures, 'incident delay median, s'), 600);
  assert.equal(valueOf(figures, 'incident delay p90, s'), Infinity);
  assert.equal(valueOf(figures, 'metric at own detection: AC@1'), 0.5);
  assert.equal(valueOf(figures, 'metric at t0: AC@1'), 0.75);
});

test('windowed series: the service series stand apart, and rows of the warm-up cost nothing', () => {
  const service = stream({
    name: 'realAWSCloudwatch/cpu.csv',
    rows: 200,
    firstScored: 30,
    faulty: [100, 101, 102],
    firing: [3, 100],
  });
  const other = stream({ name: 'other/x.csv', rows: 200, firstScored: 30, faulty: [100, 101, 102], firing: [50, 51, 90] });
  const figures = scoreWindowedSeries([service, other], createPrng(1));
  assert.equal(valueOf(figures, 'service series: window F1'), 1);
  assert.ok(Math.abs(valueOf(figures, 'service series: NAB score, standard') - 100) < 1e-9);
  assert.equal(valueOf(figures, 'window recall'), 0.5);
  assert.equal(valueOf(figures, 'window precision'), 1 / 3);
  assert.ok(valueOf(figures, 'NAB score, low FP') < valueOf(figures, 'NAB score, standard'));
  assert.equal(
    scoreWindowedSeries([other], createPrng(1)).some(({ measure }) => measure.startsWith('service')),
    false,
  );
});

test('labelled series: clean ones are judged by their false episodes, the others by their rows', () => {
  const labelled = stream({ rows: 100, firstScored: 15, faulty: [50, 51], firing: [50, 51] });
  const clean = stream({ rows: 100, firstScored: 15, faulty: [], firing: [2, 40, 70] });
  const figures = scoreLabelledSeries([labelled, clean], createPrng(1));
  assert.equal(valueOf(figures, 'AUC-PR, whole series'), 1);
  assert.equal(valueOf(figures, 'VUS-PR') > 0.9, true);
  assert.equal(valueOf(figures, 'false episodes on clean series'), 2);
});

test('feature pairs: precision of rows, recall of windows', () => {
  const figures = scoreFeaturePairs(
    [stream({ rows: 100, firstScored: 15, faulty: [50, 51, 80], firing: [1, 51, 60] })],
    createPrng(1),
  );
  assert.equal(valueOf(figures, 'precision of firing rows'), 0.5);
  assert.equal(valueOf(figures, 'recall of windows'), 0.5);
});

test('every verdict is a line, with its label and the series that stood out', () => {
  const lines = verdictLines('s,t', stream({ rows: 3, firstScored: 0, faulty: [1], firing: [1] })).split('\n');
  assert.equal(lines.length, 4);
  assert.equal(lines[0], '"s,t",x,x,1970-01-01T00:00:00.000Z,0.000,0,0,,0.00');
  assert.equal(lines[1], '"s,t",x,x,1970-01-01T00:05:00.000Z,2.000,1,1,b,2.00');
});
