const DAY_MS = 86_400_000;
/** Evidence (-log10 p) of one row at which doubt begins and is full. */
const DOUBTFUL = 1.3;
const CONVINCING = 2;
/** The same for its mean over `SLOW_ROWS` rows; the mean of chance alone is log10 e = 0.43. */
const DOUBTFUL_MEAN = 0.65;
const CONVINCING_MEAN = 1.05;
const SLOW_ROWS = 50;
/** Part of all rows that may teach although they are doubtful: about what chance makes doubtful. */
const ALLOWANCE = 0.03;
const ALLOWANCE_DAYS = 0.5;
const PATIENCE_DAYS = 4;
const FASTEST_GAIN = 0.02;

/**
 * How much of a row may become normal. Rows with evidence against them teach only as far as an allowance lasts, which a rare but regular
 * job never uses up and an anomalous stretch does at once: trimming as in robust estimation of a covariance (Rousseeuw and Van
 * Driessen, Technometrics 1999), in a stream. What stays for days regains trust, because what stays is normal.
 */
export class RowTrust {
  readonly #gain: number;
  readonly #mostAllowance: number;
  #allowance: number;
  /** Moving share of doubtful rows. */
  #doubt = 0;
  #meanEvidence = 0;

  constructor(stepMs: number) {
    this.#gain = Math.min(FASTEST_GAIN, stepMs / DAY_MS / PATIENCE_DAYS);
    this.#mostAllowance = Math.max(2, (ALLOWANCE * ALLOWANCE_DAYS * DAY_MS) / stepMs);
    this.#allowance = this.#mostAllowance;
  }

  /** Weight in 0..1 of a row with this evidence against it, -log10 p. `frozen`: doubtful whatever it looks like. */
  weigh(evidence: number, frozen: boolean): number {
    this.#meanEvidence += (evidence - this.#meanEvidence) / SLOW_ROWS;
    const ofRow = (evidence - DOUBTFUL) / (CONVINCING - DOUBTFUL);
    const ofMean = (this.#meanEvidence - DOUBTFUL_MEAN) / (CONVINCING_MEAN - DOUBTFUL_MEAN);
    const doubt = frozen ? 1 : Math.max(0, Math.min(1, Math.max(ofRow, ofMean)));
    this.#doubt += this.#gain * (doubt - this.#doubt);
    const paid = frozen ? 0 : Math.min(doubt, this.#allowance);
    this.#allowance = Math.min(this.#mostAllowance, this.#allowance - paid + ALLOWANCE);
    return Math.max(1 - doubt + paid, this.#doubt ** 4);
  }
}
