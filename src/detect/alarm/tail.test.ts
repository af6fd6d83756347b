import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPrng } from '../../lib/prng.ts';
import { TailModel } from './tail.ts';

function learned(points: number, score: (i: number) => number): TailModel {
  const tail = new TailModel();
  for (let i = 0; i < points; i++) tail.learn(score(i));
  return tail;
}

test('evidence is continuous and increases with the score', () => {
  const prng = createPrng(1);
  for (const points of [0, 20, 200, 5000]) {
    const tail = learned(points, () => Math.abs(prng.normal()));
    let last = tail.evidence(0);
    for (let score = 0.01; score < 200; score *= 1.01) {
      const evidence = tail.evidence(score);
      assert.ok(evidence >= last, `${points} points: ${evidence} < ${last} at ${score}`);
      assert.ok(evidence - last < 0.5, `${points} points: a jump of ${evidence - last} at ${score}`);
      last = evidence;
    }
  }
});

test('the rate of episodes beyond a level is near the one that its evidence names', () => {
  const prng = createPrng(2);
  const tail = learned(10_000, () => prng.exponential());
  let [level, episodes] = [0, 0];
  while (tail.evidence(level) < 3) level += 0.01;
  const points = 200_000;
  for (let i = 0; i < points; i++) if (prng.exponential() > level) episodes++;
  const rate = episodes / points;
  assert.ok(rate > 1e-3 / 3 && rate < 1e-3 * 3, `rate ${rate}`);
});

test('a run of high scores counts as one episode', () => {
  const prng = createPrng(3);
  const scattered = learned(4000, () => (prng.next() < 0.02 ? 8 : 1) + prng.next());
  const inRuns = learned(4000, (i) => (i % 500 < 10 ? 8 : 1) + prng.next());
  assert.ok(inRuns.evidence(10) > scattered.evidence(10) + 0.5);
});

test('a short history claims little, and the same score counts more as the history grows', () => {
  const prng = createPrng(4);
  const evidenceAfter = (points: number): number => learned(points, () => Math.abs(prng.normal())).evidence(6);
  const [short, long] = [evidenceAfter(40), evidenceAfter(10_000)];
  assert.ok(short < 5, `${short} after 40 points`);
  assert.ok(long > short + 1, `${long} after 10,000 points`);
});

test('heavy tails earn less evidence than light ones', () => {
  const prng = createPrng(5);
  const light = learned(5000, () => Math.abs(prng.normal()));
  const heavy = learned(5000, () => Math.abs(prng.normal() / Math.sqrt(prng.exponential())));
  assert.ok(light.evidence(10) > heavy.evidence(10) + 2);
});

test('an anomaly in the first history does not hide one of the same size later', () => {
  const prng = createPrng(6);
  const tail = learned(3000, (i) => (i >= 100 && i < 130 ? 40 : 0) + Math.abs(prng.normal()));
  assert.ok(tail.evidence(40) > 5, `${tail.evidence(40)}`);
});

test('what recurs for long loses its evidence', () => {
  const prng = createPrng(7);
  const tail = learned(5000, (i) => (i % 50 === 0 ? 20 : 0) + Math.abs(prng.normal()));
  assert.ok(tail.evidence(21) < 3, `${tail.evidence(21)}`);
  assert.ok(tail.evidence(200) > tail.evidence(21) + 1);
});

test('a history without any spread still tells a small score from a large one', () => {
  const tail = learned(500, () => 0);
  assert.equal(tail.evidence(0), 0);
  assert.ok(tail.evidence(0.1) < tail.evidence(1));
  assert.ok(Number.isFinite(tail.evidence(1e9)));
});

test('a copied state goes on like the original', () => {
  const prng = createPrng(8);
  const tail = learned(700, () => prng.exponential());
  const copy = new TailModel(structuredClone(tail.state));
  for (let i = 0; i < 100; i++) {
    const score = prng.exponential() * 3;
    assert.equal(copy.evidence(score), tail.evidence(score));
    tail.learn(score);
    copy.learn(score);
  }
});
