import assert from 'node:assert/strict';
import test from 'node:test';
import type { MetricVerdict } from '../../detect/metric-detector.ts';
import { fitComponents, reconstructionError, symmetricEigen } from './principal-components.ts';
import { createNSigmaBaseline } from './n-sigma-baseline.ts';
import { RecentRows, refitsAt } from './row-baseline.ts';

test('eigenvectors of a symmetric matrix by hand', () => {
  const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
  assert.deepEqual(
    [...values].map(Math.round).toSorted((a, b) => a - b),
    [1, 3],
  );
  const major = (values[0] as number) > (values[1] as number) ? 0 : 2;
  assert.ok(Math.abs(Math.abs(vectors[major] as number) - Math.SQRT1_2) < 1e-12);
  assert.ok(Math.abs((vectors[major] as number) - (vectors[major + 1] as number)) < 1e-12);
});

test('what lies along the components is reconstructed, and what leaves them is the error', () => {
  const rows = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i >> 1) * (i % 2 === 0 ? 1 : 3));
  const model = fitComponents(rows, 2, 0.95);
  assert.equal(model.components.length, 2);
  const error = new Float64Array(2);
  assert.ok(reconstructionError(model, Float64Array.of(0.5, 1.5), error) < 1e-9);
  assert.ok(reconstructionError(model, Float64Array.of(0.5, -1.5), error) > 1);
});

test('methods are fitted again each time the history has doubled, on the rows seen last', () => {
  assert.deepEqual(Array.from({ length: 300 }, (_, i) => i).filter(refitsAt), [64, 128, 256]);
  const recent = new RecentRows(1, 3);
  for (const value of [1, 2, 3, 4]) recent.push(Float64Array.of(value));
  assert.deepEqual([...recent.all()], [4, 2, 3]);
});

test('n-sigma counts standard deviations, and keeps the last value of a series that is missing', () => {
  const verdicts: MetricVerdict[] = [];
  const detector = createNSigmaBaseline({ seed: 1, falseAlarmBudget: 1, onVerdict: (verdict) => verdicts.push({ ...verdict }) });
  const target = detector.target('e', 's');
  for (let row = 0; row < 100; row++) {
    target?.add(row * 1000, row % 2 === 0 ? 9 : 11, 'last');
    if (row !== 99) detector.observe('e', 't', row * 1000, 5);
    detector.advance(row * 1000);
  }
  detector.observe('e', 's', 100_000, 15);
  detector.advance(99_999);
  assert.equal(verdicts.length, 100);
  detector.advance(100_000);
  assert.ok(Math.abs((verdicts[100]?.score ?? 0) - 5) < 1e-9);
  assert.deepEqual(
    verdicts[100]?.findings.map(({ series, residual }) => [series, Math.round(residual * 1e9) / 1e9]),
    [
      ['s', 5],
      ['t', 0],
    ],
  );
  assert.equal(verdicts[100]?.firing, true);
});
