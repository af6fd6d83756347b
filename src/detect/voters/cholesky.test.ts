import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { invertPositiveDefinite } from './cholesky.ts';

test('a positive definite matrix times its inverse is the identity', () => {
  const prng = createPrng(1);
  const n = 12;
  const factor = Float64Array.from({ length: n * n }, () => prng.normal());
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 0.1 : 0;
      for (let k = 0; k < n; k++) sum += (factor[i * n + k] as number) * (factor[j * n + k] as number);
      matrix[i * n + j] = sum;
    }
  }
  const inverse = matrix.slice();
  invertPositiveDefinite(inverse, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (matrix[i * n + k] as number) * (inverse[k * n + j] as number);
      assert.ok(Math.abs(sum - (i === j ? 1 : 0)) < 1e-9, `${i},${j}: ${sum}`);
    }
  }
});
