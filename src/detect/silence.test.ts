import assert from 'node:assert/strict';
import test from 'node:test';
import { isGap } from './gap-rule.ts';
import { countSilence, createSilence, learnSilence, silenceEvidence } from './silence.ts';

function silent(steps: number, expected: number, usualRun = 0): number {
  const state = createSilence();
  learnSilence(state, usualRun);
  for (let i = 0; i < steps; i++) countSilence(state, 0, expected, true);
  return silenceEvidence(state, 0.05, 1);
}

test('a busy series that stops is silent after two or three steps', () => {
  assert.equal(silent(1, 100), 0);
  assert.ok(silent(2, 100) > 0);
  assert.equal(silent(2, 20), 0);
  assert.ok(silent(3, 20) > 0);
});

test('a series that is often empty needs a longer silence', () => {
  assert.equal(silent(10, 0.1), 0);
  assert.equal(silent(20, 10, 12), 0);
  assert.ok(silent(26, 10, 12) > 0);
});

test('a young series is given more time, unless it was never empty', () => {
  const state = createSilence();
  learnSilence(state, 1);
  for (let i = 0; i < 5; i++) countSilence(state, 0, 100, true);
  assert.ok(silenceEvidence(state, 0.05, 1) > 0);
  assert.equal(silenceEvidence(state, 0.05, 3), 0);
});

test('a step in a hole of the stream says nothing and an event ends the silence', () => {
  const state = createSilence();
  for (let i = 0; i < 9; i++) countSilence(state, 0, 100, false);
  assert.equal(state.run, 0);
  for (let i = 0; i < 9; i++) countSilence(state, 0, 100, true);
  countSilence(state, 1, 100, true);
  assert.equal(silenceEvidence(state, 0.05, 1), 0);
});

test('a usual silence is forgotten over days', () => {
  const state = createSilence();
  learnSilence(state, 30);
  for (let i = 0; i < 9 * 8640; i++) learnSilence(state, 0);
  assert.ok(state.usualRun < 5);
});

test('when nearly all fall silent at once it is a hole in the stream, when one of two does it is not', () => {
  const active = { count: 0, expected: 50 };
  assert.equal(isGap([active, active, active, active, { count: 1, expected: 0.2 }]), true);
  assert.equal(isGap([active, { count: 48, expected: 50 }]), false);
  assert.equal(isGap([active, active, active, active, { count: 30, expected: 30 }]), false);
});

test('an empty step is a hole only when something was expected', () => {
  assert.equal(
    isGap([
      { count: 0, expected: 0.3 },
      { count: 0, expected: 1 },
    ]),
    false,
  );
  assert.equal(
    isGap([
      { count: 0, expected: 4 },
      { count: 0, expected: 6 },
    ]),
    true,
  );
  assert.equal(isGap([{ count: 0, expected: 0 }]), true);
});
