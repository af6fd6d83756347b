import assert from 'node:assert/strict';
import test from 'node:test';
import { DETECTORS, detectSeries, type DetectorName } from './detection-job.ts';
import { wave } from './folder.fixture.ts';
import type { Telemetry } from './telemetry.ts';
import { verdictsByRow } from './telemetry.ts';

const STEP_MS = 60_000;

/** Two entities on grids of their own; the second one's only series jumps at one row. */
function recording(jumpRow: number): Telemetry {
  const rows = 400;
  const timeMs = (phase: number): Float64Array => Float64Array.from({ length: rows }, (_, row) => phase + row * STEP_MS);
  return {
    eventsPath: null,
    calls: [],
    tables: [
      {
        entity: 'calm',
        series: ['a', 'b'],
        timeMs: timeMs(3000),
        values: Float64Array.from({ length: 2 * rows }, (_, i) => (i === 41 ? NaN : wave(i))),
      },
      {
        entity: 'jumpy',
        series: ['c'],
        timeMs: timeMs(0),
        values: Float64Array.from({ length: rows }, (_, row) => wave(row) + (row >= jumpRow && row < jumpRow + 5 ? 90 : 0)),
      },
    ],
  };
}

for (const name of Object.keys(DETECTORS) as DetectorName[]) {
  test(`${name} gives the jump a high score, and nothing before it knows of it`, () => {
    const options = { seed: 1, falseAlarmBudget: 0.05 };
    const verdicts = detectSeries(recording(300), DETECTORS[name], options);
    assert.deepEqual(
      verdicts.map(({ entity }) => entity),
      ['calm', 'jumpy'],
    );
    const { timeMs } = recording(300).tables[1] as { timeMs: Float64Array };
    const byRow = verdictsByRow(timeMs, verdicts[1]);
    const best = Math.max(...byRow.score.subarray(300, 305));
    // Of one series a forest knows only that a value is beyond all others, which the largest of these is too.
    const above = byRow.score.filter((score) => score > best).length;
    assert.ok(above < (name === 'forest' ? 100 : 10), String(above));
    if (name !== 'forest') assert.ok(byRow.firing.subarray(300, 305).includes(1));
    assert.ok(byRow.score.subarray(60).every((score) => score >= 0));
    const without = verdictsByRow(timeMs, detectSeries(recording(1000), DETECTORS[name], options)[1]);
    assert.deepEqual(byRow.score.subarray(0, 299), without.score.subarray(0, 299));
    const residuals = verdicts[1]?.residuals.subarray(byRow.tick[300], (byRow.tick[304] as number) + 1) ?? new Float32Array();
    // A forest does not say which series it was.
    assert.equal(Math.max(...residuals) > 0, name !== 'forest');
  });
}

test('rows without a verdict score nothing and do not fire', () => {
  const rows = verdictsByRow(Float64Array.of(0, 5, 10), undefined);
  assert.deepEqual([...rows.score, ...rows.firing, ...rows.tick], [0, 0, 0, 0, 0, 0, -1, -1, -1]);
});

test('a row belongs to the last tick that began at or before it and still lasts', () => {
  const verdicts = {
    entity: 'a',
    series: [],
    timeMs: Float64Array.of(0, 59, 200),
    endMs: Float64Array.of(60, 119, 260),
    score: Float64Array.of(1, 2, 3),
    firing: Uint8Array.of(0, 1, 0),
    residuals: new Float32Array(),
  };
  assert.deepEqual([...verdictsByRow(Float64Array.of(-1, 0, 59, 119, 210), verdicts).score], [0, 1, 2, 0, 3]);
});
