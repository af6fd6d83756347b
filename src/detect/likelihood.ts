/**
 * Signed roots of the likelihood-ratio statistic: about standard normal when the expectation holds (Wilks 1938;
 * McCullagh and Nelder, "Generalized Linear Models", 2nd ed., deviance residuals, section 2.4).
 */

function xLogRatio(x: number, expected: number): number {
  return x > 0 ? x * Math.log(x / expected) : 0;
}

/** Deviance residual of a Poisson count `x` against its expectation > 0. */
export function poissonResidual(x: number, expected: number): number {
  const deviance = 2 * (xLogRatio(x, expected) - (x - expected));
  return Math.sign(x - expected) * Math.sqrt(Math.max(0, deviance));
}

/** Deviance residual of `x` successes in `n` against `expected` successes, 0 < expected < n. */
export function binomialResidual(x: number, n: number, expected: number): number {
  const deviance = 2 * (xLogRatio(x, expected) + xLogRatio(n - x, n - expected));
  return Math.sign(x - expected) * Math.sqrt(Math.max(0, deviance));
}

/**
 * By how much over-dispersion widens a residual: the variance is `base + dispersion * expected^2` instead of `base`
 * (negative binomial and beta-binomial moments). `dispersion` is a squared coefficient of variation.
 */
export function dispersionScale(base: number, expected: number, dispersion: number): number {
  return Math.sqrt(1 + (dispersion * expected * expected) / base);
}

/** log10 of the probability that a negative binomial count of this mean is 0; Poisson in the limit dispersion = 0. */
export function log10ZeroProbability(expected: number, dispersion: number): number {
  const ln = dispersion > 1e-9 ? Math.log1p(dispersion * expected) / dispersion : expected;
  return -ln / Math.LN10;
}
