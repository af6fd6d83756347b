/**
 * Principal components of standardised rows that together hold a share of the variance: covariance, then its eigenvectors by Jacobi
 * rotations (Golub and Van Loan, "Matrix Computations", section 8.5).
 */
export interface PrincipalComponents {
  mean: Float64Array;
  /** One standard deviation, 1 for a constant column. */
  scale: Float64Array;
  /** Unit vectors, row-major. */
  components: Float64Array;
}

const MAX_SWEEPS = 30;
const CONVERGED = 1e-18;

function rotate(m: Float64Array, v: Float64Array, d: number, p: number, q: number): void {
  const apq = m[p * d + q] as number;
  if (apq === 0) return;
  const theta = ((m[q * d + q] as number) - (m[p * d + p] as number)) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < d; k++) {
    const [kp, kq] = [m[k * d + p] as number, m[k * d + q] as number];
    m[k * d + p] = c * kp - s * kq;
    m[k * d + q] = s * kp + c * kq;
  }
  for (let k = 0; k < d; k++) {
    const [pk, qk] = [m[p * d + k] as number, m[q * d + k] as number];
    m[p * d + k] = c * pk - s * qk;
    m[q * d + k] = s * pk + c * qk;
    const [vp, vq] = [v[p * d + k] as number, v[q * d + k] as number];
    v[p * d + k] = c * vp - s * vq;
    v[q * d + k] = s * vp + c * vq;
  }
}

/** Eigenvalues and eigenvectors (rows) of a symmetric matrix, which is overwritten. */
export function symmetricEigen(matrix: Float64Array, d: number): { values: Float64Array; vectors: Float64Array } {
  const vectors = new Float64Array(d * d);
  for (let i = 0; i < d; i++) vectors[i * d + i] = 1;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < d; p++) for (let q = p + 1; q < d; q++) off += (matrix[p * d + q] as number) ** 2;
    if (off < CONVERGED) break;
    for (let p = 0; p < d; p++) for (let q = p + 1; q < d; q++) rotate(matrix, vectors, d, p, q);
  }
  return { values: Float64Array.from({ length: d }, (_, i) => matrix[i * d + i] as number), vectors };
}

/** Fits rows in row-major order; keeps the fewest components that hold `share` of the variance, never all of them. */
export function fitComponents(rows: Float64Array, d: number, share: number): PrincipalComponents {
  const n = rows.length / d;
  const mean = new Float64Array(d);
  const scale = new Float64Array(d);
  for (let i = 0; i < rows.length; i++) mean[i % d] = (mean[i % d] as number) + (rows[i] as number) / n;
  for (let i = 0; i < rows.length; i++)
    scale[i % d] = (scale[i % d] as number) + ((rows[i] as number) - (mean[i % d] as number)) ** 2 / n;
  for (let i = 0; i < d; i++) scale[i] = Math.sqrt(scale[i] as number) || 1;
  const covariance = new Float64Array(d * d);
  const z = new Float64Array(d);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < d; i++) z[i] = ((rows[r * d + i] as number) - (mean[i] as number)) / (scale[i] as number);
    for (let i = 0; i < d; i++) {
      const zi = (z[i] as number) / n;
      for (let j = 0; j < d; j++) covariance[i * d + j] = (covariance[i * d + j] as number) + zi * (z[j] as number);
    }
  }
  const { values, vectors } = symmetricEigen(covariance, d);
  const order = Array.from(values.keys()).sort((a, b) => (values[b] as number) - (values[a] as number));
  const total = values.reduce((sum, value) => sum + value, 0);
  let held = 0;
  let kept = 0;
  while (kept < d - 1 && held < share * total) held += values[order[kept++] as number] as number;
  const components = new Float64Array(kept * d);
  for (let k = 0; k < kept; k++)
    components.set(vectors.subarray((order[k] as number) * d, ((order[k] as number) + 1) * d), k * d);
  return { mean, scale, components };
}

/** Squared error of a row after projection onto the components. `error` takes what is left of each standardised value. */
export function reconstructionError(
  { mean, scale, components }: PrincipalComponents,
  row: Float64Array,
  error: Float64Array,
): number {
  const d = row.length;
  for (let i = 0; i < d; i++) error[i] = ((row[i] as number) - (mean[i] as number)) / (scale[i] as number);
  for (let at = 0; at < components.length; at += d) {
    let dot = 0;
    for (let i = 0; i < d; i++) dot += (error[i] as number) * (components[at + i] as number);
    for (let i = 0; i < d; i++) error[i] = (error[i] as number) - dot * (components[at + i] as number);
  }
  return error.reduce((sum, value) => sum + value * value, 0);
}
