import assert from 'node:assert/strict';
import test from 'node:test';
import { createPersistence, firingHorizon, isCalm, rememberEvidence, type FiringRule } from './firing-rule.ts';

function after(evidence: number[][], caution = 1, steps: FiringRule['steps'] = 'certain', ongoing = true, easing = 0): number {
  const state = createPersistence();
  for (const step of evidence) rememberEvidence(state, step);
  return firingHorizon(state, { caution, easing, steps, ongoing });
}

test('overwhelming evidence fires after one step, unless a short pause or late events look the same', () => {
  assert.equal(after([[12, 3, 0]]), 0);
  assert.equal(after([[8, 3, 0]]), 0);
  assert.equal(after([[8, 3, 0]], 1, 'brief'), -1);
  assert.equal(after([[12, 3, 0]], 1, 'brief'), 0);
  assert.equal(after([[12, 3, 0]], 1, 'doubtful'), -1);
  assert.equal(after([[8, 3, 0]], 1.3), -1);
});

test('strong evidence needs two steps in a row and the minute behind it', () => {
  assert.equal(after([[5, 3, 0]]), -1);
  assert.equal(
    after([
      [5, 3, 0],
      [6, 6, 0],
    ]),
    0,
  );
  assert.equal(
    after([
      [5, 3, 0],
      [6, 3.2, 0],
    ]),
    -1,
  );
});

test('three of four steps of moderate evidence fire', () => {
  assert.equal(
    after([
      [4, 3, 0],
      [0, 3, 0],
      [4, 4, 0],
      [4, 5.5, 0],
    ]),
    0,
  );
  assert.equal(
    after([
      [4, 3, 0],
      [0, 3, 0],
      [0, 4, 0],
      [4, 5.5, 0],
    ]),
    -1,
  );
});

test('weak evidence fires over minutes, and only while it goes on', () => {
  const minutes = Array.from({ length: 15 }, () => [0, 4, 3]);
  assert.equal(after(minutes), 1);
  assert.equal(after(minutes, 1, 'certain', false), -1);
  assert.equal(after(minutes.slice(0, 8)), -1);
  assert.equal(
    after([
      [0, 0, 8],
      [0, 0, 8],
    ]),
    2,
  );
  assert.equal(
    after([
      [0, 7, 0],
      [0, 7, 0],
    ]),
    1,
  );
});

test('calm means quiet on the horizons that the anomaly fired on', () => {
  const state = createPersistence();
  rememberEvidence(state, [0, 1, 6]);
  assert.equal(isCalm(state, 0), true);
  assert.equal(isCalm(state, 2), false);
  rememberEvidence(state, [5, 1, 0]);
  assert.equal(isCalm(state, 0), false);
});

test('a larger budget of false alarms lowers every bar, a smaller one raises it', () => {
  assert.equal(after([[6.8, 4, 0]]), -1);
  assert.equal(after([[6.8, 4, 0]], 1, 'certain', true, Math.log10(2)), 0);
  assert.equal(after([[7.2, 4, 0]], 1, 'certain', true, Math.log10(0.5)), -1);
});

test('what burns slowly fires when half an hour deviates at the end of three minutes one after the other', () => {
  const minutes = Array.from({ length: 13 }, (_, i) => [0, 0, 0, i % 6 === 0 ? 6 : 0]);
  assert.equal(after(minutes), 3);
  assert.equal(after(minutes.slice(1)), -1);
  assert.equal(after(minutes, 1, 'certain', false), -1);
});
