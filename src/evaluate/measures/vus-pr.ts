import { segmentsOf, type RowSegment } from './row-segment.ts';

/**
 * VUS-PR (Paparrizos et al., "Volume Under the Surface", VLDB 2022), as TSB-AD's `generate_curve` computes it with version "opt":
 * range-aware AUC-PR, averaged over labels widened by ramps of 0 to `MAX_WINDOW` samples (half on either side).
 */
const MAX_WINDOW = 20;
const THRESHOLDS = 100;

interface Threshold {
  predicted: Uint8Array;
  count: number;
}

/** Labels with square-root ramps of window / 2 samples beside each segment. */
export function widen(labels: Uint8Array, segments: readonly RowSegment[], window: number): Float64Array {
  const wide = Float64Array.from(labels);
  const reach = Math.floor(window / 2);
  for (const [first, last] of segments) {
    for (let d = 1; d <= reach; d++) {
      const ramp = Math.sqrt(1 - d / window);
      if (last + d < wide.length) wide[last + d] = Math.min(1, (wide[last + d] as number) + ramp);
      if (first - d >= 0) wide[first - d] = Math.min(1, (wide[first - d] as number) + ramp);
    }
  }
  return wide;
}

/** Segments with window / 2 samples on either side; those that then touch are one. */
export function joinSegments(segments: readonly RowSegment[], window: number, length: number): RowSegment[] {
  const reach = Math.floor(window / 2);
  const joined: RowSegment[] = [];
  let from = Math.max(0, (segments[0] as RowSegment)[0] - reach);
  for (let i = 0; i + 1 < segments.length; i++) {
    const end = (segments[i] as RowSegment)[1] + reach;
    const next = (segments[i + 1] as RowSegment)[0] - reach;
    if (end >= next) continue;
    joined.push([from, end]);
    from = next;
  }
  joined.push([from, Math.min((segments.at(-1) as RowSegment)[1] + reach, length - 1)]);
  return joined;
}

function thresholdsOf(scores: ArrayLike<number>): Threshold[] {
  const sorted = Float64Array.from(scores).sort().toReversed();
  return Array.from({ length: THRESHOLDS }, (_, k) => {
    const threshold = sorted[Math.trunc((k * (sorted.length - 1)) / (THRESHOLDS - 1))] as number;
    const predicted = new Uint8Array(sorted.length);
    let count = 0;
    for (let i = 0; i < predicted.length; i++) if ((scores[i] as number) >= threshold) count += predicted[i] = 1;
    return { predicted, count };
  });
}

/** Range-aware precision and recall of one threshold against labels of one width. */
function rangeRates(
  { predicted, count }: Threshold,
  truth: {
    labels: Uint8Array;
    wide: Float64Array;
    widest: readonly RowSegment[];
    zones: readonly RowSegment[];
    positives: number;
  },
): { recall: number; precision: number } {
  const { labels, wide, widest, zones, positives } = truth;
  let found = 0;
  for (const [first, last] of zones) if (predicted.subarray(first, last + 1).includes(1)) found++;
  // Inside a zone a widened label counts where it is predicted; the labelled rows themselves always count as positives.
  let hits = 0;
  let labelled = 0;
  for (const [first, last] of widest) {
    for (let i = first; i <= last; i++) {
      const weight = labels[i] ? 1 : (wide[i] as number);
      if (predicted[i]) hits += weight;
      labelled += labels[i] ? 1 : predicted[i] ? weight : 0;
    }
  }
  const recall = Math.min(1, hits / ((positives + labelled) / 2)) * (found / zones.length);
  return { recall, precision: count === 0 ? 0 : hits / count };
}

/** Volume under the surface of precision and recall; NaN without a positive label. */
export function vusPr(scores: ArrayLike<number>, labels: Uint8Array, maxWindow = MAX_WINDOW): number {
  const segments = segmentsOf(labels);
  if (segments.length === 0) return NaN;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const thresholds = thresholdsOf(scores);
  const widest = joinSegments(segments, maxWindow, labels.length);
  let volume = 0;
  for (let window = 0; window <= maxWindow; window++) {
    const wide = widen(labels, segments, window);
    const zones = joinSegments(segments, window, labels.length);
    let before = 0;
    for (const threshold of thresholds) {
      const { recall, precision } = rangeRates(threshold, { labels, wide, widest, zones, positives });
      volume += (recall - before) * precision;
      before = recall;
    }
  }
  return volume / (maxWindow + 1);
}
