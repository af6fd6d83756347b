/** Largest |residual| of a row. */
export function largestResidual(residuals: Float64Array): number {
  let largest = 0;
  for (const residual of residuals) largest = Math.max(largest, Math.abs(residual));
  return largest;
}

/** Mean square of residuals: many series that move a little. */
export function residualEnergy(residuals: Float64Array): number {
  let sum = 0;
  for (const residual of residuals) sum += residual * residual;
  return sum / residuals.length;
}

/** Signed part of one series in the energy. */
export function energyContribution(residual: number): number {
  return Math.sign(residual) * residual * residual;
}

/** Signed part of one series in the largest residual: series close to the largest share it. */
export function largestContribution(residual: number): number {
  return residual * Math.abs(residual) ** 3;
}

/**
 * Evidence of a residual that is not compared with its own past, for the entity of one series, whose residual is already scaled by that past: the
 * two-sided tail of a Cauchy-like law with p = 1 / (1 + r^2), -log10 p. Monotone, so that it ranks rows as the residual does.
 */
export function residualEvidence(residual: number): number {
  return Math.log10(1 + residual * residual);
}
