const DAY_MS = 86_400_000;
/** Evidence (-log10 p) of one row at which doubt begins and is full. */
const DOUBTFUL = 1.3;
const CONVINCING = 2;
/** The same for its mean over `SLOW_ROWS` rows; the mean of chance alone is log10 e = 0.43. */
const DOUBTFUL_MEAN = 0.65;
const CONVINCING_MEAN = 1.05;
const SLOW_ROWS = 50;
/** Part of all rows that may teach although they are doubtful: about what chance makes doubtful. Doubtful rows earn next to none. */
const ALLOWANCE = 0.03;
/** Younger history has seen less of what is normal: at an age of d days up to 1/d of all rows may be news, of doubtful ones 1/d^2. */
const NEWS_DAYS = 1;
const ALLOWANCE_DAYS = 0.5;
const PATIENCE_DAYS = 4;
const FASTEST_GAIN = 0.02;

/**
 * How much of a row may become normal. Rows with evidence against them teach only as far as an allowance lasts, which a rare but regular
 * job never uses up and an anomalous stretch does at once: trimming as in robust estimation of a covariance (Rousseeuw and Van
 * Driessen, Technometrics 1999), in a stream. What stays for days regains trust, because what stays is normal.
 */
export class RowTrust {
  private readonly gain: number;
  private allowance = 2;
  /** Moving share of doubtful rows. */
  private doubt = 0;
  private meanEvidence = 0;
  private ageDays = 0;
  private readonly stepDays: number;

  constructor(stepMs: number) {
    this.gain = Math.min(FASTEST_GAIN, stepMs / DAY_MS / PATIENCE_DAYS);
    this.stepDays = stepMs / DAY_MS;
  }

  /** Weight in 0..1 of a row with this evidence against it, -log10 p. `frozen`: doubtful whatever it looks like. */
  weigh(evidence: number, frozen: boolean): number {
    this.meanEvidence += (evidence - this.meanEvidence) / SLOW_ROWS;
    const ofRow = (evidence - DOUBTFUL) / (CONVINCING - DOUBTFUL);
    const ofMean = (this.meanEvidence - DOUBTFUL_MEAN) / (CONVINCING_MEAN - DOUBTFUL_MEAN);
    const doubt = frozen ? 1 : Math.max(0, Math.min(1, Math.max(ofRow, ofMean)));
    this.doubt += this.gain * (doubt - this.doubt);
    const paid = frozen ? 0 : Math.min(doubt, this.allowance);
    this.ageDays += this.stepDays;
    const share = Math.max(ALLOWANCE, Math.min(1, NEWS_DAYS / this.ageDays));
    const most = Math.max(2, (share * ALLOWANCE_DAYS) / this.stepDays);
    const income = share * (1 - (1 - share) * doubt);
    this.allowance = Math.min(most, this.allowance - paid + income);
    return Math.max(1 - doubt + paid, this.doubt ** 4);
  }
}
