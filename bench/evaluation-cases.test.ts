import assert from 'node:assert/strict';
import test from 'node:test';
import type { EvaluatedStream } from '../src/evaluate/evaluated-stream.ts';
import type { AnyTruth } from '../src/evaluate/faulty-spans.ts';
import { segmentsOf } from '../src/evaluate/measures/row-segment.ts';
import { chooseCases } from './evaluation-cases.ts';
import { pictureSvg, type PictureTick } from './evaluation-picture.ts';

const STEP_MS = 300_000;
const ROWS = 400;

/** A recording of two series in which `firing` rows fire with a score of 2 plus their number in hundreds; residuals are largest in `b`. */
function stream(name: string, faulty: readonly number[], firing: readonly number[]): EvaluatedStream<AnyTruth> {
  const timeMs = Float64Array.from({ length: ROWS }, (_, row) => row * STEP_MS);
  const fires = Uint8Array.from({ length: ROWS }, (_, row) => Number(firing.includes(row)));
  const labels = Uint8Array.from({ length: ROWS }, (_, row) => Number(faulty.includes(row)));
  const segments = segmentsOf(labels);
  const verdicts = {
    entity: name,
    series: ['a', 'b'],
    timeMs,
    endMs: timeMs.map((time) => time + STEP_MS),
    score: Float64Array.from(fires, (value, row) => value * (2 + row / 100)),
    firing: fires,
    residuals: Float32Array.from({ length: 2 * ROWS }, (_, i) => (fires[i >> 1] ? 1 + (i % 2) : 0)),
  };
  const tables = [{ entity: name, series: ['a', 'b'], timeMs, values: new Float64Array(2 * ROWS) }];
  return {
    name,
    telemetry: { tables, eventsPath: null, calls: [] },
    truth: { labels, firstScored: 20, segments, causes: segments.map(() => []) },
    detection: { verdicts: [verdicts], incidents: null, seconds: 1 },
  };
}

test('of a set the hit with the median delay, the first miss and the loudest false alarm are taken', () => {
  const fault = (from: number): number[] => Array.from({ length: 10 }, (_, i) => from + i);
  const first = stream('x', [...fault(50), ...fault(100), ...fault(150), ...fault(200)], [51, 106, 159, 300]);
  const second = stream('y', fault(250), [350]);
  const cases = chooseCases([first, second]);
  assert.deepEqual(
    cases.map(({ kind, verdicts, series, span }) => [kind, verdicts.entity, series, span.startMs / STEP_MS]),
    [
      ['hit', 'x', 'b', 100],
      ['miss', 'x', 'a', 200],
      ['false alarm', 'y', 'b', 351],
    ],
  );
  assert.deepEqual(chooseCases([stream('z', [], [])]), []);
});

const ticks = (count: number): PictureTick[] =>
  Array.from({ length: count }, (_, i) => ({
    timeMs: i * STEP_MS,
    observed: i === 5 ? NaN : Math.sin(i),
    low: i < 3 ? NaN : -2,
    high: i < 3 ? NaN : 2,
    score: i % 7,
    firing: i > count - 4,
  }));

test('a picture of very many ticks is small, one of few is whole, and names are escaped', () => {
  const picture = { title: 'set: hit', subtitle: '<a> & b', series: 'm1', faults: [{ startMs: 0, endMs: 9 * STEP_MS }] };
  const large = pictureSvg({ ...picture, ticks: ticks(50_000) });
  assert.ok(large.length < 60_000, `${large.length}`);
  const small = pictureSvg({ ...picture, ticks: ticks(30) });
  assert.match(small, /&lt;a&gt; &amp; b/);
  assert.match(small, /prefers-color-scheme:dark/);
  assert.doesNotMatch(small, /NaN|undefined|Infinity/);
  assert.equal(small.match(/class="f"/g)?.length, 1);
  // A missing value interrupts the line; three firing ticks are three marks.
  assert.equal(/class="v" d="([^"]*)"/.exec(small)?.[1]?.match(/M/g)?.length, 2);
  assert.equal(/class="x" d="([^"]*)"/.exec(small)?.[1]?.match(/M/g)?.length, 3);
});

test('a picture of nothing, and of a series that never moves, can be drawn', () => {
  const picture = { title: 't', subtitle: 's', series: 'm', faults: [] };
  assert.doesNotMatch(pictureSvg({ ...picture, ticks: [] }), /NaN|Infinity/);
  const still = ticks(30).map((tick) => ({ ...tick, observed: 0, low: 0, high: 0, score: 0 }));
  assert.doesNotMatch(pictureSvg({ ...picture, ticks: still }), /NaN|Infinity/);
});
