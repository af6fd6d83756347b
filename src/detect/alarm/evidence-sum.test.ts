import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPrng } from '../../lib/prng.ts';
import { EvidenceSum } from './evidence-sum.ts';

const SERIES = 8;

function trained(rows: number): {
  sum: EvidenceSum;
  shares: Float64Array;
  row: (change?: (row: Float64Array) => void) => Float64Array;
} {
  const prng = createPrng(1);
  const sum = new EvidenceSum(SERIES, 60_000);
  const shares = new Float64Array(SERIES);
  const row = (change?: (row: Float64Array) => void): Float64Array => {
    const residuals = Float64Array.from({ length: SERIES }, () => prng.normal());
    change?.(residuals);
    return residuals;
  };
  for (let i = 0; i < rows; i++) {
    const residuals = row();
    sum.next(residuals, shares);
    sum.learn(residuals);
  }
  return { sum, shares, row };
}

test('usual rows score little, one series far out and several a little out score more', () => {
  const { sum, shares, row } = trained(2000);
  const usual = sum.next(row(), shares);
  const one = sum.next(
    row((r) => (r[3] = 12)),
    shares,
  );
  const several = sum.next(
    row((r) => r.fill(4.5)),
    shares,
  );
  assert.ok(usual < 2, `${usual}`);
  assert.ok(one > usual + 3, `${one}`);
  assert.ok(several > usual + 3, `${several}`);
});

test('shares are signed and sum to the score', () => {
  const { sum, shares, row } = trained(1000);
  const score = sum.next(
    row((r) => ([r[0], r[5]] = [14, -11])),
    shares,
  );
  assert.ok((shares[0] as number) > 0 && (shares[5] as number) < 0);
  assert.ok(Math.abs(shares.reduce((total, share) => total + Math.abs(share), 0) - score) < 1e-9);
});

test('a series that is always wild scores less for the same residual', () => {
  const prng = createPrng(2);
  const [sum, shares] = [new EvidenceSum(2, 60_000), new Float64Array(2)];
  for (let i = 0; i < 2000; i++) {
    const residuals = Float64Array.of(prng.normal(), prng.normal() * (prng.next() < 0.05 ? 8 : 1));
    sum.next(residuals, shares);
    sum.learn(residuals);
  }
  sum.next(Float64Array.of(9, 9), shares);
  assert.ok((shares[0] as number) > (shares[1] as number) + 1);
});

test('what lasts scores more than the same for one tick', () => {
  const { sum, shares, row } = trained(2000);
  const raise = (r: Float64Array): void => void (r[2] = 3.8);
  const first = row(raise);
  const once = sum.next(first, shares);
  sum.learn(first);
  const twice = sum.next(row(raise), shares);
  assert.ok(twice > once + 0.5, `${once} ${twice}`);
});

test('missing and constant series say nothing', () => {
  const [sum, shares] = [new EvidenceSum(2, 60_000), new Float64Array(2)];
  for (let i = 0; i < 300; i++) {
    assert.equal(sum.next(new Float64Array(2), shares), 0);
    sum.learn(new Float64Array(2));
  }
});

test('a copied state goes on like the original', () => {
  const { sum, shares, row } = trained(300);
  const copy = new EvidenceSum(SERIES, 60_000, structuredClone(sum.state));
  for (let i = 0; i < 50; i++) {
    const residuals = row((r) => (r[1] = (i * 7) % 11));
    assert.equal(copy.next(residuals, new Float64Array(SERIES)), sum.next(residuals, shares));
    copy.learn(residuals);
    sum.learn(residuals);
  }
});
