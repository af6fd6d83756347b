import assert from 'node:assert/strict';
import test from 'node:test';
import { planRetention } from './retention.ts';
import { emptySegment } from './segment.ts';

/** Segments of ten records and 100 bytes each, newest event at 10, 20, … ms; the last is the one being written. */
const SEGMENTS = Array.from({ length: 4 }, (_, i) => {
  const segment = emptySegment(`${i}.log`, i * 10, 0, 0);
  return { ...segment, nextOffset: i * 10 + 10, bytes: 100, maxTimestampMs: (i + 1) * 10 };
});

function removed(limits: { maxAgeMs?: number; maxBytes?: number }, readBelow = Infinity): number[] {
  const { maxAgeMs = Infinity, maxBytes = Infinity } = limits;
  return planRetention(SEGMENTS, { maxAgeMs, maxBytes }, 100, readBelow).remove.map(({ base }) => base);
}

test('without limits nothing goes', () => {
  assert.deepEqual(removed({}), []);
});

test('segments whose newest event is too old go', () => {
  assert.deepEqual(removed({ maxAgeMs: 80 }), [0]);
  assert.deepEqual(removed({ maxAgeMs: 79 }), [0, 10]);
});

test('oldest segments go until the bytes fit', () => {
  assert.deepEqual(removed({ maxBytes: 400 }), []);
  assert.deepEqual(removed({ maxBytes: 399 }), [0]);
  assert.deepEqual(removed({ maxBytes: 200 }), [0, 10]);
});

test('the newest segment stays whatever the limits', () => {
  assert.deepEqual(removed({ maxBytes: 0, maxAgeMs: 0 }), [0, 10, 20]);
});

test('what a reader has not read stays, and is named', () => {
  assert.deepEqual(removed({ maxAgeMs: 0 }, 20), [0, 10]);
  assert.deepEqual(removed({ maxAgeMs: 0 }, 19), [0]);
  const plan = planRetention(SEGMENTS, { maxAgeMs: 0, maxBytes: Infinity }, 100, 19);
  assert.equal(plan.unread?.base, 10);
});
