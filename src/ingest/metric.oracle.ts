import type { SeriesKind } from '../model/metric.ts';
import type { Rejection, ScanLimits } from '../model/scanner.ts';

type PlainLabel = readonly [name: string, value: string];

/** Lines of the metrics log written plainly: objects and strings, nothing kept from one point to the next. */
export interface PlainSeries {
  name: string;
  kind: SeriesKind;
  unit: string;
  service: string;
  environment: string;
  namespace: string;
  /** In any order; the last of a name wins, and the point's own over those of the resource. */
  base: readonly PlainLabel[];
  labels: readonly PlainLabel[];
}

export interface PlainResult {
  lines: string[];
  points: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  rejections: Rejection[];
}

const number = (value: number): string => (Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value)));

function headOf({ base, labels, ...rest }: PlainSeries): string {
  const sorted = [...new Map([...base, ...labels])].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const members = sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const { name, kind, unit, service, environment, namespace } = rest;
  return `${JSON.stringify({ name, kind, unit, service, environment, namespace }).slice(0, -1)},"labels":{${members.join(',')}}`;
}

function labelProblem(labels: readonly PlainLabel[]): string | undefined {
  for (const [k, [label, value]] of labels.entries()) {
    if (label === '') return 'hold one without a name';
    if (Buffer.byteLength(label) > 255) return 'hold a name longer than 255 bytes';
    if (Buffer.byteLength(value) > 4096) return 'hold a value longer than 4096 bytes';
    if (k === 64) return 'are more than 64';
  }
  return undefined;
}

function problemOf(
  series: PlainSeries,
  nameLimit: number,
  timeMs: number,
  timeField: string,
  limits: ScanLimits,
): Omit<Rejection, 'index'> | null {
  const bytes = (text: string): number => Buffer.byteLength(text);
  const { name, unit, service, environment, namespace } = series;
  for (const [field, text] of Object.entries({ service, environment, namespace })) {
    if (bytes(text) > 128) return { field, reason: 'is longer than 128 bytes' };
  }
  if (limits.services?.allows(service) === false) return { field: 'service', reason: 'is not allowed for this API key' };
  if (name === '') return { field: 'name', reason: 'is required' };
  if (bytes(name) > nameLimit) return { field: 'name', reason: `is longer than ${nameLimit} bytes` };
  if (bytes(unit) > 255) return { field: 'unit', reason: 'is longer than 255 bytes' };
  const reason = labelProblem(series.base) ?? labelProblem(series.labels);
  if (reason !== undefined) return { field: 'labels', reason };
  if (series.base.length + series.labels.length > 64) return { field: 'labels', reason: 'are more than 64' };
  if (timeMs > limits.latestMs) return { field: timeField, reason: 'is too far in the future' };
  return timeMs < limits.earliestMs ? { field: timeField, reason: 'is older than the retention' } : null;
}

/** One part of a point: what its series has that others of the point have not. */
export interface PlainPart {
  suffix: string;
  kind: SeriesKind;
  extra?: readonly [name: string, value: string];
  value: number;
  startMs: number;
}

export class PlainWriter {
  readonly result: PlainResult = { lines: [], points: 0, minTimestampMs: Infinity, maxTimestampMs: -Infinity, rejections: [] };
  #index = 0;
  readonly #limits: ScanLimits;
  readonly #timeField: string;

  constructor(limits: ScanLimits, timeField: string) {
    this.#limits = limits;
    this.#timeField = timeField;
  }

  reject(field: string, reason: string): void {
    this.result.rejections.push({ index: this.#index++, field, reason });
  }

  skip(): void {
    this.#index++;
  }

  /** Adds a point; with `continues` into the line before. Returns whether it is in. */
  add(series: PlainSeries, timeMs: number, parts: readonly PlainPart[], continues = false): boolean {
    const { result } = this;
    const nameLimit = parts.some(({ suffix, extra }) => suffix !== '' || extra) ? 248 : 255;
    const problem = problemOf(series, nameLimit, timeMs, this.#timeField, this.#limits);
    if (problem) {
      this.reject(problem.field, problem.reason);
      return false;
    }
    this.#index++;
    result.minTimestampMs = Math.min(result.minTimestampMs, timeMs);
    result.maxTimestampMs = Math.max(result.maxTimestampMs, timeMs);
    for (const { suffix, kind, extra, value, startMs } of parts) {
      const point = `[${number(timeMs)},${number(value)}${Number.isNaN(startMs) ? '' : `,${number(startMs)}`}]`;
      result.points++;
      const last = result.lines.length - 1;
      if (continues) result.lines[last] = `${(result.lines[last] as string).slice(0, -2)},${point}]}`;
      else {
        const labels = extra ? [...series.labels, extra] : series.labels;
        result.lines.push(`${headOf({ ...series, name: series.name + suffix, kind, labels })},"points":[${point}]}`);
      }
    }
    return true;
  }
}

/** Classic buckets, totals and extremes of a histogram as parts; `counts` are cumulative. */
export function histogramParts(
  kind: SeriesKind,
  startMs: number,
  point: { count: number; sum: number; min: number; max: number },
  bounds: readonly number[],
  counts: readonly number[],
): PlainPart[] {
  const start = kind === 'gauge' ? NaN : startMs;
  const parts: PlainPart[] = [{ suffix: '_count', kind, value: point.count, startMs: start }];
  if (!Number.isNaN(point.sum)) parts.push({ suffix: '_sum', kind, value: point.sum, startMs: start });
  for (const [k, bound] of bounds.entries()) {
    parts.push({ suffix: '_bucket', kind, extra: ['le', String(bound)], value: counts[k] as number, startMs: start });
  }
  parts.push({ suffix: '_bucket', kind, extra: ['le', '+Inf'], value: point.count, startMs: start });
  if (!Number.isNaN(point.min)) parts.push({ suffix: '_min', kind: 'gauge', value: point.min, startMs: NaN });
  if (!Number.isNaN(point.max)) parts.push({ suffix: '_max', kind: 'gauge', value: point.max, startMs: NaN });
  return parts;
}
