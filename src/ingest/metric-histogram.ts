import type { SeriesKind } from '../model/metric.ts';
import { CumulativeBuckets, cumulate, MAX_FILLED_BUCKETS, SparseBuckets } from './exponential-buckets.ts';
import type { ExtraLabel, MetricLineWriter } from './metric-line-writer.ts';

/** Of one histogram as sent; more are rejected, for each becomes a series. Exponential ones are merged, so they may have more. */
const MAX_EXPLICIT_BUCKETS = 1024;
const MAX_QUANTILES = 256;
/** No list of a point is worth keeping beyond this length. */
export const MAX_LIST_LENGTH = MAX_EXPLICIT_BUCKETS;
const MIN_SCALE = -32;
const HIGHEST_SCALE = 32;
/** Texts of label values that are kept; past it they are all forgotten. */
const MAX_KNOWN_LABELS = 4096;

/** Labels whose values are numbers, written as Prometheus writes them. */
class NumberLabels {
  readonly #name: string;
  readonly #nameBytes: Uint8Array;
  readonly #known = new Map<number, ExtraLabel>();

  constructor(name: string) {
    this.#name = name;
    this.#nameBytes = Buffer.from(name);
  }

  label(value: number): ExtraLabel {
    const known = this.#known.get(value);
    if (known) return known;
    if (this.#known.size === MAX_KNOWN_LABELS) this.#known.clear();
    const text = value === Infinity ? '+Inf' : String(value);
    const label = { name: this.#nameBytes, json: Buffer.from(`"${this.#name}":"${text}"`) };
    this.#known.set(value, label);
    return label;
  }
}

const LE = new NumberLabels('le');
const QUANTILE = new NumberLabels('quantile');

/** A histogram or summary data point of any protocol; filled anew for each. NaN stands for what is not known. */
export class HistogramPoint {
  count = 0;
  sum = NaN;
  min = NaN;
  max = NaN;
  /** Upper bounds of explicit buckets, and the count of each and of the one above the last. Both empty: no buckets. */
  readonly bounds: number[] = [];
  readonly counts: number[] = [];
  scale = 0;
  zeroCount = 0;
  zeroThreshold = 0;
  readonly positive = new SparseBuckets();
  readonly negative = new SparseBuckets();
  readonly quantiles: number[] = [];
  readonly quantileValues: number[] = [];

  clear(): void {
    this.count = 0;
    this.sum = NaN;
    this.min = NaN;
    this.max = NaN;
    this.scale = 0;
    this.zeroCount = 0;
    this.zeroThreshold = 0;
    for (const list of [this.bounds, this.counts, this.quantiles, this.quantileValues]) list.length = 0;
    this.positive.clear();
    this.negative.clear();
  }
}

export interface PointTime {
  timeMs: number;
  /** NaN when not known. */
  startMs: number;
}

const buckets = new CumulativeBuckets();

/** What is wrong with a histogram with explicit buckets: field and reason, or null. */
export function explicitProblem({ bounds, counts }: HistogramPoint): readonly [field: string, reason: string] | null {
  if (counts.length > MAX_EXPLICIT_BUCKETS) return ['bucket_counts', `are more than ${MAX_EXPLICIT_BUCKETS}`];
  if (counts.length === 0 ? bounds.length > 0 : counts.length !== bounds.length + 1) {
    return ['bucket_counts', 'must be one more than explicit_bounds'];
  }
  for (let i = 0; i < bounds.length; i++) {
    if (!((bounds[i] as number) > (bounds[i - 1] ?? -Infinity))) return ['explicit_bounds', 'must be numbers in ascending order'];
  }
  return null;
}

/** What is wrong with an exponential histogram: field and reason, or null. */
export function exponentialProblem(point: HistogramPoint): readonly [field: string, reason: string] | null {
  const { scale, positive, negative } = point;
  if (scale < MIN_SCALE || scale > HIGHEST_SCALE) return ['scale', `must be from ${MIN_SCALE} to ${HIGHEST_SCALE}`];
  if (Math.max(positive.index.length, negative.index.length) > MAX_FILLED_BUCKETS) {
    return ['bucket_counts', `are more than ${MAX_FILLED_BUCKETS}`];
  }
  return null;
}

export function summaryProblem({ quantiles }: HistogramPoint): readonly [field: string, reason: string] | null {
  return quantiles.length > MAX_QUANTILES ? ['quantile_values', `are more than ${MAX_QUANTILES}`] : null;
}

/**
 * Writes a histogram as Prometheus names it: `_count`, `_sum`, and `_bucket` with the observations up to and including each
 * `le`. `_min` and `_max` are gauges. All carry the unit of the family, as their metadata does there.
 */
export function writeExplicit(writer: MetricLineWriter, kind: SeriesKind, time: PointTime, point: HistogramPoint): void {
  buckets.clear();
  let total = 0;
  for (let i = 0; i < point.bounds.length; i++) {
    total += point.counts[i] as number;
    buckets.add(point.bounds[i] as number, total);
  }
  writeBuckets(writer, kind, time, point);
}

/** The same for an exponential histogram, on boundaries that stay where they are as its scale changes (`exponential-buckets.ts`). */
export function writeExponential(writer: MetricLineWriter, kind: SeriesKind, time: PointTime, point: HistogramPoint): void {
  cumulate(point, buckets);
  writeBuckets(writer, kind, time, point);
}

function writeBuckets(writer: MetricLineWriter, kind: SeriesKind, time: PointTime, point: HistogramPoint): void {
  writeTotals(writer, kind, time, point);
  const { timeMs } = time;
  const startMs = kind === 'gauge' ? NaN : time.startMs;
  for (let i = 0; i < buckets.bounds.length; i++) {
    writer.startLineWith(kind, '_bucket', LE.label(buckets.bounds[i] as number));
    writer.addPoint(timeMs, buckets.counts[i] as number, startMs);
  }
  writer.startLineWith(kind, '_bucket', LE.label(Infinity));
  writer.addPoint(timeMs, point.count, startMs);
  for (const [suffix, value] of [
    ['_min', point.min],
    ['_max', point.max],
  ] as const) {
    if (Number.isNaN(value)) continue;
    writer.startLine('gauge', suffix);
    writer.addPoint(timeMs, value, NaN);
  }
}

function writeTotals(writer: MetricLineWriter, kind: SeriesKind, time: PointTime, { count, sum }: HistogramPoint): void {
  const startMs = kind === 'gauge' ? NaN : time.startMs;
  writer.startLine(kind, '_count');
  writer.addPoint(time.timeMs, count, startMs);
  if (Number.isNaN(sum)) return;
  writer.startLine(kind, '_sum');
  writer.addPoint(time.timeMs, sum, startMs);
}

/** Writes a summary as Prometheus names it: `_count` and `_sum`, totals, and a gauge for each `quantile`. */
export function writeSummary(writer: MetricLineWriter, time: PointTime, point: HistogramPoint): void {
  writeTotals(writer, 'cumulative', time, point);
  for (let i = 0; i < point.quantiles.length; i++) {
    writer.startLineWith('gauge', '', QUANTILE.label(point.quantiles[i] as number));
    writer.addPoint(time.timeMs, point.quantileValues[i] as number, NaN);
  }
}
