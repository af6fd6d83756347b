import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { ScoreTail } from './score-tail.ts';

function learned(rows: number): ScoreTail {
  const prng = createPrng(2);
  const tail = new ScoreTail(20_000);
  for (let i = 0; i < rows; i++) tail.learn(prng.exponential(), 1);
  return tail;
}

test('evidence is -log10 of the share of history above a score', () => {
  const tail = learned(20_000);
  for (const p of [0.5, 0.1, 0.03]) {
    assert.ok(Math.abs(tail.evidence(-Math.log(p)) + Math.log10(p)) < 0.1, `at p ${p}`);
  }
});

test('evidence never falls as the score rises, and passes what history has seen', () => {
  const tail = learned(5000);
  let last = -1;
  for (let score = 0; score < 100; score += 0.05) {
    const evidence = tail.evidence(score);
    assert.ok(evidence >= last - 1e-9, `falls at ${score}`);
    last = evidence;
  }
  assert.ok(tail.evidence(100) > 5);
});

test('there is no evidence before thirty rows, and less of it while history is short', () => {
  assert.equal(learned(29).evidence(1e6), 0);
  assert.ok(learned(40).evidence(20) < learned(4000).evidence(20));
});

test('ties at zero are no evidence', () => {
  const tail = new ScoreTail(2000);
  for (let i = 0; i < 500; i++) tail.learn(0, 1);
  assert.ok(tail.evidence(0) < 0.01);
  assert.ok(tail.evidence(5) > 1);
});
