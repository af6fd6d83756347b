import assert from 'node:assert/strict';
import test from 'node:test';
import { depthOf, TraceSampler } from './trace-sampler.ts';

test('the depth of a hash is the number of zero bits at its end', () => {
  assert.deepEqual([1, 2, 12, 0x8000_0000, 0].map(depthOf), [0, 1, 2, 31, 32]);
});

test('all traces are looked at while they are few, a nested sample when they are many, and all again later', () => {
  const sampler = new TraceSampler();
  assert.equal(sampler.admits(0, 0), true);
  for (let i = 0; i < 40_000; i++) sampler.admits(depthOf(i + 1), 1);
  const { level } = sampler.state;
  assert.ok(level >= 2 && level <= 4, `level ${level}`);
  assert.deepEqual([sampler.admits(level - 1, 2), sampler.admits(level, 2)], [false, true]);
  // The busy stretch is followed by quiet ones.
  for (let stretch = 1; stretch <= 6; stretch++) sampler.admits(31, stretch * 10_000);
  assert.equal(sampler.state.level, 0);
});

test('a trace counts only when none of its spans was left out', () => {
  const sampler = new TraceSampler({ level: 2, formerLevel: 3, loweredMs: 1000, stretchStartMs: 1000, admitted: 0 });
  assert.equal(sampler.isWhole(1, 2000), false);
  assert.equal(sampler.isWhole(2, 900), false);
  assert.equal(sampler.isWhole(2, 1000), true);
  assert.equal(sampler.isWhole(3, 900), true);
});
