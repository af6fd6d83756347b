import type { SeriesKind } from '../../model/metric.ts';
import type { HistogramPoint, PointTime } from '../metric-histogram.ts';
import {
  explicitProblem,
  exponentialProblem,
  summaryProblem,
  writeExplicit,
  writeExponential,
  writeSummary,
} from '../metric-histogram.ts';
import type { MetricLineWriter } from '../metric-line-writer.ts';

/** Values of AggregationTemporality (opentelemetry/proto/metrics/v1/metrics.proto). */
const DELTA = 1;
const CUMULATIVE = 2;
/** DataPointFlags: the point marks a gap and carries no value. */
const NO_RECORDED_VALUE = 1;
const TIME_FIELD = 'time_unix_nano';

export type HistogramForm = 'explicit' | 'exponential' | 'summary';

/** What a data point of every type has. Milliseconds since the epoch; 0 for a time and NaN for a start that are not set. */
export interface PointHeader extends PointTime {
  flags: number;
}

/** Milliseconds, with microseconds as fraction, of an unsigned 64-bit count of nanoseconds given in halves; finer is cut. */
export function msOfNanos(low: number, high: number): number {
  // 2^32 is 4294967 microseconds and 296 nanoseconds.
  return (high * 4_294_967 + Math.floor((high * 296 + low) / 1000)) / 1000;
}

/** How a sum's points are to be read, or null when its temporality is neither. A cumulative sum that may fall is a reading. */
export function kindOfSum(temporality: number, isMonotonic: boolean): SeriesKind | null {
  if (temporality === DELTA) return 'delta';
  if (temporality !== CUMULATIVE) return null;
  return isMonotonic ? 'cumulative' : 'gauge';
}

export function kindOfHistogram(temporality: number): SeriesKind | null {
  return kindOfSum(temporality, true);
}

/** Rules that all data points share, and those of each type; the label set of the writer holds the point's attributes. */
export class MetricsPoints {
  readonly #writer: MetricLineWriter;

  constructor(writer: MetricLineWriter) {
    this.#writer = writer;
  }

  /**
   * A point of a gauge or sum; `value` is undefined where none is set. With `continues` it is of the series of the point before,
   * in whose line it is put. Returns whether it was written.
   */
  addNumber(kind: SeriesKind | null, header: PointHeader, value: number | undefined, continues: boolean): boolean {
    const writer = this.#writer;
    if (!this.#mayBeWritten(kind, header)) return false;
    if (value === undefined) {
      writer.reject('value', 'is required');
      return false;
    }
    if (!writer.admit(header.timeMs, TIME_FIELD)) return false;
    if (!continues) writer.startLine(kind);
    writer.addPoint(header.timeMs, value, kind === 'gauge' ? NaN : header.startMs);
    return true;
  }

  addHistogram(form: HistogramForm, kind: SeriesKind | null, header: PointHeader, point: HistogramPoint): void {
    const writer = this.#writer;
    if (!this.#mayBeWritten(kind, header)) return;
    const judge = form === 'explicit' ? explicitProblem : form === 'exponential' ? exponentialProblem : summaryProblem;
    const problem = judge(point);
    if (problem !== null) writer.reject(...problem);
    else if (!writer.admit(header.timeMs, TIME_FIELD, true)) return;
    else if (form === 'explicit') writeExplicit(writer, kind, header, point);
    else if (form === 'exponential') writeExponential(writer, kind, header, point);
    else writeSummary(writer, header, point);
  }

  #mayBeWritten(kind: SeriesKind | null, { flags, timeMs }: PointHeader): kind is SeriesKind {
    if ((flags & NO_RECORDED_VALUE) !== 0) this.#writer.skip();
    else if (kind === null) this.#writer.reject('aggregation_temporality', 'must be delta or cumulative');
    else if (timeMs === 0) this.#writer.reject(TIME_FIELD, 'is required');
    else return true;
    return false;
  }
}
