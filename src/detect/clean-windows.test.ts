import assert from 'node:assert/strict';
import test from 'node:test';
import { CleanWindows } from './clean-windows.ts';

const windows = Array.from({ length: 10 }, (_, i) => ({ startMs: i * 100, row: Float64Array.of(i, NaN) }));
const startsOf = (clean: CleanWindows): number[] => clean.rows.map((row) => row[0] as number);

test('windows that overlap an incident or lie within the margin of one are left out and counted', () => {
  const clean = CleanWindows.outside(windows, 100, [{ fromMs: 350, toMs: 420 }], 50);
  assert.deepEqual([startsOf(clean), clean.excluded], [[0, 1, 2, 5, 6, 7, 8, 9], 2]);
  const touching = CleanWindows.outside(windows, 100, [{ fromMs: 300, toMs: 400 }], 0);
  assert.deepEqual([startsOf(touching), touching.excluded], [[0, 1, 2, 4, 5, 6, 7, 8, 9], 1]);
  assert.equal(CleanWindows.outside(windows, 100, [], 50).excluded, 0);
  assert.deepEqual(startsOf(CleanWindows.outside(windows, 100, [{ fromMs: 120, toMs: Infinity }], 0)), [0]);
});

test('the hash is of the rows alone, and changes with each of them', () => {
  const hash = CleanWindows.outside(windows, 100, [], 0).hash();
  assert.match(hash, /^[\da-f]{64}$/);
  assert.equal(CleanWindows.learned(windows.map(({ row }) => row)).hash(), hash);
  assert.notEqual(CleanWindows.outside(windows, 100, [{ fromMs: 0, toMs: 1 }], 0).hash(), hash);
  const odd = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n]).buffer);
  assert.equal(CleanWindows.learned([odd]).hash(), CleanWindows.learned([Float64Array.of(NaN)]).hash());
});
