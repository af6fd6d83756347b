import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { createTailEvidence, learnTailEvidence, readTailEvidence } from './tail-evidence.ts';

test('evidence is the rarity of what follows a known tail', () => {
  const prng = createPrng(1);
  const tail = createTailEvidence();
  const pareto = (): number => prng.next() ** -0.3;
  for (let i = 0; i < 16 * 192; i++) learnTailEvidence(tail, pareto());
  for (const rarity of [3, 4, 5]) {
    const size = (10 ** -rarity) ** -0.3;
    assert.ok(
      Math.abs(readTailEvidence(tail, size) - rarity) < 0.8,
      `10^-${String(rarity)}: ${String(readTailEvidence(tail, size))}`,
    );
  }
});

test('evidence grows with size, is never negative, and has an opinion without any history', () => {
  const tail = createTailEvidence();
  assert.equal(readTailEvidence(tail, 0), 0);
  assert.equal(readTailEvidence(tail, 0.01), 0);
  assert.ok(readTailEvidence(tail, 4) < readTailEvidence(tail, 8));
  assert.ok(readTailEvidence(tail, 10) > 3);
});
