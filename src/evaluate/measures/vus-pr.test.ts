import assert from 'node:assert/strict';
import test from 'node:test';
import { segmentsOf } from './row-segment.ts';
import { joinSegments, vusPr, widen } from './vus-pr.ts';

test('marked rows are stretches, merged over short gaps', () => {
  assert.deepEqual(segmentsOf([0, 1, 1, 0, 1, 0, 0, 1]), [
    [1, 2],
    [4, 4],
    [7, 7],
  ]);
  assert.deepEqual(segmentsOf([0, 1, 1, 0, 1, 0, 0, 1], 1), [
    [1, 4],
    [7, 7],
  ]);
});

test('labels widen by square-root ramps of half the window', () => {
  const wide = widen(Uint8Array.of(0, 0, 0, 1, 0, 0, 0), [[3, 3]], 4);
  assert.deepEqual([...wide], [0, Math.SQRT1_2, Math.sqrt(0.75), 1, Math.sqrt(0.75), Math.SQRT1_2, 0]);
  const near = joinSegments(
    [
      [3, 3],
      [6, 6],
      [20, 21],
    ],
    4,
    22,
  );
  assert.deepEqual(near, [
    [1, 8],
    [18, 21],
  ]);
});

test('with no ramp VUS-PR is average precision times the share of segments found', () => {
  // One segment of one row, scored first: at every threshold recall 1; precision 1 at the first.
  assert.equal(vusPr([0, 9, 0, 0], Uint8Array.of(0, 1, 0, 0), 0), 1);
  // Scored second of four: the thresholds reach it at precision 1/2.
  assert.equal(vusPr([8, 9, 1, 0], Uint8Array.of(1, 0, 0, 0), 0), 0.5);
  // Two segments: the first found alone counts recall 1/2 times half of the segments.
  assert.equal(vusPr([9, 5, 1, 8], Uint8Array.of(1, 0, 0, 1), 0), 0.25 + 0.75);
});

test('a hit just beside the segment earns part of a ramp and nothing without one', () => {
  const labels = Uint8Array.from({ length: 60 }, (_, i) => (i >= 30 && i < 33 ? 1 : 0));
  const near = Float64Array.from({ length: 60 }, (_, i) => (i === 34 ? 1 : 0));
  const far = Float64Array.from({ length: 60 }, (_, i) => (i === 5 ? 1 : 0));
  assert.ok(vusPr(near, labels) > vusPr(far, labels) + 0.02);
  assert.ok(Number.isNaN(vusPr(near, new Uint8Array(60))));
});
