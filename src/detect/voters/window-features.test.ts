import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WindowFeatures } from './window-features.ts';

const VALUES = Float64Array.of(1, 1);

function heldAfterSpike(rows: readonly (readonly [number, number])[]): number[] {
  const features = new WindowFeatures(2, 2000);
  const held: number[] = [];
  for (const row of [[9, 0] as const, ...rows]) {
    const residuals = Float64Array.from(row);
    features.read(VALUES, residuals);
    held.push(features.held[0] as number);
    features.learn(VALUES, residuals, 0);
  }
  return held;
}

test('a residual is held while another series answers, and fades', () => {
  const [spike, next, later] = heldAfterSpike([[0, 6], ...Array.from({ length: 6 }, () => [0, 6] as const)]);
  assert.equal(spike, 9);
  assert.ok((next as number) > 4 && (next as number) <= 5, `${next}`);
  assert.ok((later as number) < (next as number) && (later as number) > 0);
});

test('a residual is no longer held once all series have returned', () => {
  const [, next] = heldAfterSpike([[0.3, 0.3]]);
  assert.ok((next as number) <= 0.6 + 1e-9, `${next}`);
});
