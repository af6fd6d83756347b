/** One row of an entity on its grid. */
export interface VoterRow {
  timeMs: number;
  /** By series; NaN is a missing value. */
  values: Float64Array;
  /** Signed deviation of each value in robust spreads, 0 for a missing one. */
  residuals: Float64Array;
}

/** What the voters say of one row. Filled in place. */
export interface EntityScore {
  /** Combined -log10 p, >= 0, continuous. */
  score: number;
  /** Raw score by voter, in the order of `VOTERS`. */
  votes: Float64Array;
  /** Signed part of each series in the score; the sum of |share| is 1, or 0 when no few series drive it. */
  shares: Float64Array;
}
