import assert from 'node:assert/strict';
import test from 'node:test';
import { boundedRange, MAX_POINTS, openRange, parseTimeParameter, stepOf } from './parameters.ts';

const T = Date.UTC(2025, 9, 8, 10, 30, 45);

test('times are ISO 8601 with any offset, or milliseconds since the epoch', () => {
  assert.equal(parseTimeParameter('2025-10-08T10:30:45Z'), T);
  assert.equal(parseTimeParameter('2025-10-08t12:30:45+02:00'), T);
  assert.equal(parseTimeParameter('2025-10-08T12:30:45+0200'), T);
  assert.equal(parseTimeParameter('2025-10-08T05:30:45-05:00'), T);
  assert.equal(parseTimeParameter('2025-10-08T10:30:45.123456Z'), T + 123);
  assert.equal(parseTimeParameter(String(T)), T);
  assert.equal(parseTimeParameter('2025-10-08'), Date.UTC(2025, 9, 8));
});

test('a time without an offset is UTC, and an unescaped plus sign is understood', () => {
  assert.equal(parseTimeParameter('2025-10-08T10:30:45'), T);
  assert.equal(parseTimeParameter('2025-10-08T10:30'), T - 45_000);
  assert.equal(parseTimeParameter('2025-10-08T12:30:45 02:00'), T);
});

test('anything else is no time', () => {
  for (const text of [
    '',
    'now',
    '2025-13-01',
    '2025-10-08T25:00',
    'Oct 8 2025',
    '1e3',
    '9999999999999999',
    '2025-10-08T10:30:45+',
  ]) {
    assert.ok(Number.isNaN(parseTimeParameter(text)), text);
  }
});

test('a range without bounds is the hour up to the end of the minute', () => {
  assert.deepEqual(boundedRange({}, T), { fromMs: Date.UTC(2025, 9, 8, 9, 31), toMs: Date.UTC(2025, 9, 8, 10, 31) });
  assert.deepEqual(boundedRange({ to: T }, 0), { fromMs: T - 3_600_000, toMs: T });
  assert.deepEqual(boundedRange({ from: 5, to: 6 }, T), { fromMs: 5, toMs: 6 });
});

test('a range that is empty or upside down is refused', () => {
  assert.throws(() => boundedRange({ from: 6, to: 6 }, T), { code: 'invalid_argument', details: { field: 'from' } });
  assert.throws(() => openRange({ from: 7, to: 6 }), { code: 'invalid_argument' });
});

test('an open range leaves out the bounds that were not given', () => {
  assert.deepEqual(openRange({}), {});
  assert.deepEqual(openRange({ from: 1 }), { fromMs: 1 });
  assert.deepEqual(openRange({ to: 2 }), { toMs: 2 });
});

test('a step that was not given fits the range', () => {
  assert.equal(stepOf(undefined, { fromMs: 0, toMs: 600_000 }), 10_000);
  assert.equal(stepOf(undefined, { fromMs: 0, toMs: 3_600_000 }), 30_000);
  assert.equal(stepOf(undefined, { fromMs: 0, toMs: 86_400_000 }), 300_000);
  assert.equal(stepOf(undefined, { fromMs: 0, toMs: 1000 * 86_400_000 }), 86_400_000);
  assert.equal(stepOf(60_000, { fromMs: 0, toMs: 600_000 }), 60_000);
});

test('a range of more steps than an answer may have is refused', () => {
  assert.equal(stepOf(10_000, { fromMs: 0, toMs: MAX_POINTS * 10_000 }), 10_000);
  assert.throws(() => stepOf(10_000, { fromMs: 0, toMs: MAX_POINTS * 10_000 + 1 }), {
    code: 'invalid_argument',
    details: { field: 'step' },
  });
});
