import assert from 'node:assert/strict';
import test from 'node:test';
import { binomialResidual, dispersionScale, log10ZeroProbability, poissonResidual } from './likelihood.ts';

const near = (actual: number, expected: number, tolerance: number): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};

test('residuals are 0 at the expectation and carry the sign of the deviation', () => {
  assert.equal(poissonResidual(10, 10), 0);
  assert.equal(binomialResidual(5, 100, 5), 0);
  assert.ok(poissonResidual(20, 10) > 0 && poissonResidual(3, 10) < 0);
  assert.ok(binomialResidual(20, 100, 5) > 0 && binomialResidual(0, 100, 5) < 0);
});

test('residuals are about standard normal for large counts', () => {
  near(poissonResidual(10_300, 10_000), 3, 0.03);
  near(binomialResidual(5_150, 10_000, 5_000), 3, 0.01);
});

test('a residual equals the root of twice the log-likelihood ratio', () => {
  near(poissonResidual(0, 8) ** 2, 16, 1e-9);
  near(binomialResidual(10, 10, 5) ** 2, 20 * Math.log(2), 1e-9);
});

test('dispersion widens a busy series more than a quiet one', () => {
  near(dispersionScale(1000, 1000, 0.01), Math.sqrt(11), 1e-9);
  near(dispersionScale(1, 1, 0.01), Math.sqrt(1.01), 1e-9);
});

test('an empty window is the less surprising the burstier the series is', () => {
  near(log10ZeroProbability(10, 0), -10 / Math.LN10, 1e-9);
  assert.ok(log10ZeroProbability(10, 1) > log10ZeroProbability(10, 0.1));
  near(log10ZeroProbability(10, 1), -Math.log10(11), 1e-9);
});
