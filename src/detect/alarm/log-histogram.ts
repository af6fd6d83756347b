/** Counts of positive numbers on a logarithmic grid; a bin is 9 % wide. Plain data of fixed size. */
export interface LogHistogram {
  counts: Float32Array;
  total: number;
}

const BINS_PER_OCTAVE = 8;
const LOWEST_OCTAVE = -7;
const OCTAVES = 27;
const BINS = BINS_PER_OCTAVE * OCTAVES;

export function createLogHistogram(): LogHistogram {
  return { counts: new Float32Array(BINS), total: 0 };
}

/** Position on the grid, a real number in [0, BINS). Everything below 2^-7 shares the first bin. */
const position = (value: number): number =>
  value <= 2 ** LOWEST_OCTAVE ? 0 : Math.min((Math.log2(value) - LOWEST_OCTAVE) * BINS_PER_OCTAVE, BINS - 1e-6);

const level = (at: number): number => (at <= 0 ? 0 : 2 ** (at / BINS_PER_OCTAVE + LOWEST_OCTAVE));

export function addToHistogram(histogram: LogHistogram, value: number, weight: number): void {
  const bin = Math.floor(position(value));
  histogram.counts[bin] = (histogram.counts[bin] as number) + weight;
  histogram.total += weight;
}

/** How much lies above `value`; values are taken as spread evenly over their bin. */
export function rankAbove(histogram: LogHistogram, value: number): number {
  const at = position(value);
  const bin = Math.floor(at);
  let above = (histogram.counts[bin] as number) * (bin + 1 - at);
  for (let higher = bin + 1; higher < BINS; higher++) above += histogram.counts[higher] as number;
  return above;
}

/** Level above which `rank` of the total lies; the inverse of `rankAbove`. */
export function levelOfRank(histogram: LogHistogram, rank: number): number {
  let above = 0;
  for (let bin = BINS - 1; bin >= 0; bin--) {
    const here = histogram.counts[bin] as number;
    if (here > 0 && above + here >= rank) return level(bin + 1 - (rank - above) / here);
    above += here;
  }
  return 0;
}

/** Calls `visit` with the middle of each bin above `value` and its count, from the lowest to the highest. */
export function eachAbove(histogram: LogHistogram, value: number, visit: (middle: number, count: number) => void): void {
  const at = position(value);
  const first = Math.floor(at);
  const inside = (histogram.counts[first] as number) * (first + 1 - at);
  if (inside > 0) visit(level((at + first + 1) / 2), inside);
  for (let bin = first + 1; bin < BINS; bin++) {
    const count = histogram.counts[bin] as number;
    if (count > 0) visit(level(bin + 0.5), count);
  }
}
