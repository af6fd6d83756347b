import assert from 'node:assert/strict';
import test from 'node:test';
import { originShares } from './graph-flow.ts';

const graph = (callees: number[][], excess: number[], keeps = excess.map(() => 1)) => ({
  callees,
  excess,
  keeps,
  coupling: () => 1,
});
const rounded = (shares: Float64Array): number[] => Array.from(shares, (share) => Math.round(share * 1000) / 1000);

test('what a callee explains arises in the deepest callee', () => {
  assert.deepEqual(rounded(originShares(graph([[1], [2], []], [10, 10, 10]), [1, 0, 0])), [0, 0, 1]);
});

test('what callees do not explain arises in the caller', () => {
  assert.deepEqual(rounded(originShares(graph([[1, 2], [], []], [10, 2, 1]), [1, 0, 0])), [0.7, 0.2, 0.1]);
});

test('an entry without callees that are worse keeps the symptom', () => {
  assert.deepEqual(rounded(originShares(graph([[1], []], [5, 0]), [1, 0])), [1, 0]);
});

test('a declared transit component keeps nothing', () => {
  assert.deepEqual(rounded(originShares(graph([[1], [2], []], [10, 10, 4], [1, 0, 1]), [1, 0, 0])), [0, 0, 1]);
});

test('a cycle of calls ends, and shares add up to no more than what arrived', () => {
  const shares = originShares(graph([[1], [0]], [4, 6]), [1, 0]);
  assert.ok(shares[0] !== undefined && shares[1] !== undefined && shares[0] + shares[1] <= 1 + 1e-9);
});
