/**
 * Inverse of a symmetric positive definite matrix of `size` rows in row-major order, by its Cholesky factor. Works in place
 * and needs `size`^3 multiplications. Values are assumed finite; a pivot that rounding made too small is raised.
 */
export function invertPositiveDefinite(matrix: Float64Array, size: number): void {
  factorise(matrix, size);
  invertLower(matrix, size);
  multiplyTransposed(matrix, size);
}

const SMALLEST_PIVOT = 1e-12;

/** Lower factor L with L L' = matrix, in the lower triangle. */
function factorise(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    let pivot = a[rowJ + j] as number;
    for (let k = 0; k < j; k++) pivot -= (a[rowJ + k] as number) ** 2;
    const root = Math.sqrt(Math.max(pivot, SMALLEST_PIVOT));
    a[rowJ + j] = root;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let sum = a[rowI + j] as number;
      for (let k = 0; k < j; k++) sum -= (a[rowI + k] as number) * (a[rowJ + k] as number);
      a[rowI + j] = sum / root;
    }
  }
}

/** The lower triangle by its inverse. */
function invertLower(a: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    a[j * n + j] = 1 / (a[j * n + j] as number);
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let sum = 0;
      for (let k = j; k < i; k++) sum -= (a[rowI + k] as number) * (a[k * n + j] as number);
      a[rowI + j] = sum / (a[rowI + i] as number);
    }
  }
}

/** L by L' L, both triangles. Row k of the product needs rows k.. of L only, so it may be written over it. */
function multiplyTransposed(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += (a[k * n + i] as number) * (a[k * n + j] as number);
      a[j * n + i] = sum;
    }
    for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] as number;
  }
}
