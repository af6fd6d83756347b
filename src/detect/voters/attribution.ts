/** Evidence below which a row is chance: nothing drives it, and its shares are 0. */
const MIN_EVIDENCE = 1;
/** A single driver carries this many times what the next series carries. */
const LEAD = 2;

/**
 * Signed part of each series in a row's score: the mean over voters of the series' part in the voter's vote, weighted by the
 * voter's evidence. `contributions` holds the signed parts by series, one voter after the other. The sum of |share| is 1, or all are 0
 * when the row is not evidence of anything.
 */
export function attribute(contributions: Float64Array, evidences: Float64Array, score: number, shares: Float64Array): void {
  const n = shares.length;
  shares.fill(0);
  if (score < MIN_EVIDENCE) return;
  for (let k = 0; k < evidences.length; k++) {
    const base = k * n;
    let total = 0;
    for (let j = 0; j < n; j++) total += Math.abs(contributions[base + j] as number);
    if (total <= 0) continue;
    const weight = (evidences[k] as number) / total;
    for (let j = 0; j < n; j++) shares[j] = (shares[j] as number) + weight * (contributions[base + j] as number);
  }
  let sum = 0;
  for (const share of shares) sum += Math.abs(share);
  if (sum <= 0) return;
  for (let j = 0; j < n; j++) shares[j] = (shares[j] as number) / sum;
}

/** The series that drives a row, or -1: there is no single driver when several carry about the same, or none anything. */
export function singleDriver(shares: Float64Array): number {
  let driver = -1;
  let first = 0;
  let second = 0;
  for (let j = 0; j < shares.length; j++) {
    const size = Math.abs(shares[j] as number);
    if (size > first) {
      second = first;
      first = size;
      driver = j;
    } else if (size > second) second = size;
  }
  return first > LEAD * second ? driver : -1;
}
