const BINS = 160;
const BINS_PER_OCTAVE = 6;
const LOWEST = 2 ** -10;
/** Part of history above which the exponential tail takes over from the ranks. */
const TAIL_SHARE = 0.02;
/** Rows' worth of prior belief in the tail's scale: a log-score grows by a factor e^PRIOR_SCALE for each factor e in p. */
const PRIOR_EXCESSES = 10;
const PRIOR_SCALE = 0.25;
const MIN_ROWS = 30;

/**
 * p-value of a raw score by its own past: ranks in a histogram of log-scores that forgets slowly, and above the top 2 % an
 * exponential tail of the log-score, that is a Pareto tail of the score (Hill: "A simple general approach to inference about
 * the tail of a distribution", Annals of Statistics 1975).
 */
export class ScoreTail {
  private readonly counts = new Float64Array(BINS);
  private readonly memoryRows: number;
  private rows = 0;
  private total = 0;
  private threshold = BINS;
  private scale = PRIOR_SCALE;

  constructor(memoryRows: number) {
    this.memoryRows = memoryRows;
  }

  /** -log10 p of a score >= 0; 0 before `MIN_ROWS` rows, and modest while history is short. */
  evidence(score: number): number {
    if (this.rows < MIN_ROWS) return 0;
    const position = positionOf(score);
    const trust = this.rows / (this.rows + MIN_ROWS);
    if (position > this.threshold) {
      const excess = ((position - this.threshold) / BINS_PER_OCTAVE) * Math.LN2;
      return trust * (-Math.log10(TAIL_SHARE) + excess / this.scale / Math.LN10);
    }
    const bin = Math.floor(position);
    let above = (this.counts[bin] as number) * (bin + 1 - position);
    for (let i = bin + 1; i < BINS; i++) above += this.counts[i] as number;
    const share = Math.max(TAIL_SHARE, above / this.total);
    return trust * -Math.log10(Math.min(1, share));
  }

  /** Adds a score with a weight in 0..1. */
  learn(score: number, weight: number): void {
    const bin = Math.floor(positionOf(score));
    this.counts[bin] = (this.counts[bin] as number) + weight;
    this.total += weight;
    this.rows += 1;
    if (this.total > this.memoryRows) {
      for (let i = 0; i < BINS; i++) this.counts[i] = (this.counts[i] as number) / 2;
      this.total /= 2;
    }
    if (this.rows % 16 === 0 || this.rows < 64) this.refresh();
  }

  private refresh(): void {
    const wanted = TAIL_SHARE * this.total;
    let above = 0;
    let bin = BINS - 1;
    for (; bin > 0; bin--) {
      const next = above + (this.counts[bin] as number);
      if (next > wanted) break;
      above = next;
    }
    const inBin = this.counts[bin] as number;
    this.threshold = bin + 1 - (inBin > 0 ? (wanted - above) / inBin : 0);
    let excess = 0;
    for (let i = bin + 1; i < BINS; i++) excess += (this.counts[i] as number) * (i + 0.5 - this.threshold);
    excess *= Math.LN2 / BINS_PER_OCTAVE;
    this.scale = (excess + PRIOR_EXCESSES * PRIOR_SCALE) / (above + PRIOR_EXCESSES);
  }
}

function positionOf(score: number): number {
  if (!(score > LOWEST)) return 0;
  return Math.min(BINS - 1e-6, Math.log2(score / LOWEST) * BINS_PER_OCTAVE);
}
