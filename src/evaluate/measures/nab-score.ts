import type { RowSegment } from './row-segment.ts';

/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015): early detections in a window earn up to 1, firing rows
 * outside cost by how far behind the last window they are, windows without one cost `falseNegative`.
 */
export interface NabProfile {
  name: string;
  falsePositive: number;
  falseNegative: number;
}

export const NAB_PROFILES: readonly NabProfile[] = [
  { name: 'standard', falsePositive: 0.11, falseNegative: 1 },
  { name: 'low FP', falsePositive: 0.22, falseNegative: 1 },
  { name: 'low FN', falsePositive: 0.11, falseNegative: 2 },
];

/** Sigmoid of relative position: 1 far before, 0 at the end of a window, -1 far behind. */
export function positionWeight(y: number): number {
  return y >= 3 ? -1 : 2 / (1 + Math.exp(5 * y)) - 1;
}

export interface NabSeries {
  /** Rows that fire, warm-up already taken out. */
  firing: ArrayLike<number>;
  windows: readonly RowSegment[];
}

/** What one series adds to the sum before it is scaled. */
export function nabRaw({ firing, windows }: NabSeries, { falsePositive, falseNegative }: NabProfile): number {
  const best = windows.map(() => -Infinity);
  let raw = 0;
  for (let i = 0; i < firing.length; i++) {
    if (!firing[i]) continue;
    const inside = windows.findIndex(([first, last]) => i >= first && i <= last);
    if (inside >= 0) {
      const [first, last] = windows[inside] as RowSegment;
      const earned = positionWeight(-(last - i + 1) / (last - first + 1)) / positionWeight(-1);
      best[inside] = Math.max(best[inside] as number, earned);
      continue;
    }
    const before = windows.findLast(([, last]) => last < i);
    // A window of one row has no length to measure distance by: what follows it is far behind.
    const weight = before && before[1] > before[0] ? positionWeight((i - before[1]) / (before[1] - before[0])) : -1;
    raw += falsePositive * weight;
  }
  for (const earned of best) raw += earned === -Infinity ? -falseNegative : earned;
  return raw;
}

/** What one series adds to the numerator and to the denominator of the score: 0 for a detector that says nothing, 100 for a perfect one. */
export function nabParts(series: NabSeries, profile: NabProfile): readonly [numerator: number, denominator: number] {
  const windows = series.windows.length;
  return [100 * (nabRaw(series, profile) + profile.falseNegative * windows), windows + profile.falseNegative * windows];
}
