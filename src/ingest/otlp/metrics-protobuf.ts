import type { MetricLines, SeriesKind } from '../../model/metric.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { HistogramPoint } from '../metric-histogram.ts';
import { MAX_LABEL_VALUE_BYTES } from '../metric-labels.ts';
import { MetricLineWriter } from '../metric-line-writer.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { AttributeText } from './attribute-text.ts';
import { readExplicit, readExponential, readSummary } from './metrics-histogram-fields.ts';
import { kindOfHistogram, kindOfSum, MetricsPoints, msOfNanos } from './metrics-points.ts';
import type { HistogramForm, PointHeader } from './metrics-points.ts';
import { MetricsResource } from './metrics-resource.ts';

/** Tags: field number times 8 plus wire type (opentelemetry/proto/metrics/v1/metrics.proto). */
const RESOURCE_METRICS = 10;
const RESOURCE = 10;
const SCOPE_METRICS = 18;
const ATTRIBUTES_OF_RESOURCE = 10;
const SCOPE = 10;
const METRICS = 18;
const SCOPE_NAME = 10;
const ATTRIBUTES_OF_SCOPE = 26;
const METRIC_NAME = 10;
const METRIC_UNIT = 26;
const GAUGE = 42;
const SUM = 58;
const HISTOGRAM = 74;
const EXPONENTIAL_HISTOGRAM = 82;
const SUMMARY = 90;
const DATA_POINTS = 10;
const TEMPORALITY = 16;
const IS_MONOTONIC = 24;
const KEY = 10;
const VALUE = 18;
const START_TIME = 17;
const TIME = 25;
const AS_DOUBLE = 33;
const AS_INT = 49;
const NUMBER_ATTRIBUTES = 58;
const NUMBER_FLAGS = 64;

const TWO_32 = 2 ** 32;

/** Attributes and flags of a histogram or summary data point, and what reads the rest. */
const FORMS = {
  explicit: { attributes: 74, flags: 80, read: readExplicit },
  exponential: { attributes: 10, flags: 80, read: readExponential },
  summary: { attributes: 58, flags: 64, read: readSummary },
} as const;

/** One pass over the bytes of an ExportMetricsServiceRequest; a message's own fields are looked for before its children's. */
class MetricsDecoder {
  readonly #reader = new ProtobufReader();
  readonly #writer = new MetricLineWriter();
  readonly #resource = new MetricsResource();
  readonly #points = new MetricsPoints(this.#writer);
  readonly #text = new AttributeText(this.#reader, MAX_LABEL_VALUE_BYTES);
  readonly #histogram = new HistogramPoint();
  readonly #header: PointHeader = { timeMs: 0, startMs: NaN, flags: 0 };
  /** Bytes from the first to the last attribute of the point that the writer's labels and line are of; empty at first. */
  #labelsStart = 0;
  #labelsEnd = 0;

  decode(body: Uint8Array, limits: ScanLimits, memory?: MemoryAccount): MetricLines {
    const reader = this.#reader;
    reader.begin(body, 'ExportMetricsServiceRequest');
    this.#writer.begin(limits, memory);
    try {
      this.#each(RESOURCE_METRICS, () => this.#resourceMetrics());
      return this.#writer.finish();
    } finally {
      reader.end();
      this.#writer.end();
      this.#text.release();
      this.#resource.clear();
    }
  }

  /** Calls `read` with the reader entered into each field of this tag; goes back to where it started. */
  #each(wanted: number, read: () => void): void {
    const reader = this.#reader;
    const start = reader.position;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== wanted) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      read();
      reader.leave(outer);
    }
    reader.position = start;
  }

  #resourceMetrics(): void {
    const resource = this.#resource;
    const { bytes } = this.#reader;
    const add = (): void => resource.add(bytes, this.#attribute(), this.#keyEnd, this.#text.toString());
    resource.clear();
    this.#each(RESOURCE, () => this.#each(ATTRIBUTES_OF_RESOURCE, add));
    resource.apply(this.#writer);
    this.#each(SCOPE_METRICS, () => this.#scopeMetrics());
  }

  #scopeMetrics(): void {
    const resource = this.#resource;
    const reader = this.#reader;
    const { bytes } = reader;
    const add = (): void => resource.addScope(bytes, this.#attribute(), this.#keyEnd, this.#text.toString());
    resource.clearScope();
    this.#each(SCOPE, () => {
      this.#each(SCOPE_NAME, () => resource.nameScope(bytes, reader.position, reader.limit));
      this.#each(ATTRIBUTES_OF_SCOPE, add);
    });
    resource.applyScope(this.#writer);
    this.#each(METRICS, () => this.#metric());
  }

  #metric(): void {
    const reader = this.#reader;
    const { bytes, position: start } = reader;
    let nameStart = 0;
    let nameEnd = 0;
    let unitStart = 0;
    let unitEnd = 0;
    let data = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === METRIC_NAME) {
        nameEnd = reader.range();
        nameStart = reader.position;
        reader.position = nameEnd;
      } else if (tag === METRIC_UNIT) {
        unitEnd = reader.range();
        unitStart = reader.position;
        reader.position = unitEnd;
      } else {
        if (tag === GAUGE || tag === SUM || tag === HISTOGRAM || tag === EXPONENTIAL_HISTOGRAM || tag === SUMMARY) data = tag;
        reader.skip(tag);
      }
    }
    this.#writer.setFamily(bytes, nameStart, nameEnd, bytes, unitStart, unitEnd);
    reader.position = start;
    this.#each(data, () => this.#data(data));
  }

  #data(tag: number): void {
    const reader = this.#reader;
    const start = reader.position;
    let temporality = 0;
    let isMonotonic = false;
    for (let field = reader.tag(); field !== 0; field = reader.tag()) {
      if (field === TEMPORALITY) temporality = reader.int32();
      else if (field === IS_MONOTONIC) isMonotonic = reader.varint() !== 0;
      else reader.skip(field);
    }
    reader.position = start;
    if (tag === GAUGE) this.#numbers('gauge');
    else if (tag === SUM) this.#numbers(kindOfSum(temporality, isMonotonic));
    else if (tag === SUMMARY) this.#each(DATA_POINTS, () => this.#histogramPoint('summary', 'cumulative'));
    else {
      const form = tag === HISTOGRAM ? 'explicit' : 'exponential';
      this.#each(DATA_POINTS, () => this.#histogramPoint(form, kindOfHistogram(temporality)));
    }
  }

  #numbers(kind: SeriesKind | null): void {
    const reader = this.#reader;
    let continues = false;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== DATA_POINTS) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      continues = this.#numberPoint(kind, continues);
      reader.leave(outer);
    }
  }

  /** Returns whether a point of the same series may follow in its line. */
  #numberPoint(kind: SeriesKind | null, follows: boolean): boolean {
    const reader = this.#reader;
    const header = this.#clearHeader();
    let value: number | undefined;
    let start = 0;
    let end = 0;
    for (let at = reader.position, tag = reader.tag(); tag !== 0; at = reader.position, tag = reader.tag()) {
      switch (tag) {
        case START_TIME:
          this.#readStart();
          break;
        case TIME:
          reader.fixed64();
          header.timeMs = msOfNanos(reader.low, reader.high);
          break;
        case AS_DOUBLE:
          value = reader.double();
          break;
        case AS_INT:
          reader.fixed64();
          value = (reader.high | 0) * TWO_32 + reader.low;
          break;
        case NUMBER_FLAGS:
          header.flags = reader.varint();
          break;
        case NUMBER_ATTRIBUTES:
          if (end === 0) start = at;
          reader.skip(tag);
          end = reader.position;
          break;
        default:
          reader.skip(tag);
      }
    }
    const continues = follows && this.#hasLabelsOf(start, end);
    if (!continues) this.#setLabels(start, end, NUMBER_ATTRIBUTES);
    return this.#points.addNumber(kind, header, value, continues);
  }

  #histogramPoint(form: HistogramForm, kind: SeriesKind | null): void {
    const reader = this.#reader;
    const header = this.#clearHeader();
    const point = this.#histogram;
    const { attributes, flags, read } = FORMS[form];
    let start = 0;
    let end = 0;
    point.clear();
    // A summary always has its sum; the others' is optional.
    if (form === 'summary') point.sum = 0;
    for (let at = reader.position, tag = reader.tag(); tag !== 0; at = reader.position, tag = reader.tag()) {
      if (tag === START_TIME) this.#readStart();
      else if (tag === TIME) {
        reader.fixed64();
        header.timeMs = msOfNanos(reader.low, reader.high);
      } else if (tag === flags) header.flags = reader.varint();
      else if (tag === attributes) {
        if (end === 0) start = at;
        reader.skip(tag);
        end = reader.position;
      } else read(reader, tag, point);
    }
    this.#setLabels(start, end, attributes);
    this.#points.addHistogram(form, kind, header, point);
  }

  #clearHeader(): PointHeader {
    const header = this.#header;
    header.timeMs = 0;
    header.startMs = NaN;
    header.flags = 0;
    return header;
  }

  #readStart(): void {
    const reader = this.#reader;
    reader.fixed64();
    const startMs = msOfNanos(reader.low, reader.high);
    this.#header.startMs = startMs === 0 ? NaN : startMs;
  }

  /** Whether the bytes in a range are those of the attributes that the labels were set from. */
  #hasLabelsOf(start: number, end: number): boolean {
    const { bytes } = this.#reader;
    const from = this.#labelsStart;
    if (end - start !== this.#labelsEnd - from) return false;
    for (let k = end - start - 1; k >= 0; k--) if (bytes[start + k] !== bytes[from + k]) return false;
    return true;
  }

  /** Sets the labels from the attributes among the fields in a range. */
  #setLabels(start: number, end: number, attributes: number): void {
    const reader = this.#reader;
    const { labels } = this.#writer;
    const { position, limit } = reader;
    this.#labelsStart = start;
    this.#labelsEnd = end;
    labels.clear();
    reader.position = start;
    reader.limit = end;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== attributes) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      const key = this.#attribute();
      labels.set(reader.bytes, key, this.#keyEnd, this.#text.source, this.#text.start, this.#text.end);
      reader.leave(outer);
    }
    reader.position = position;
    reader.limit = limit;
  }

  #keyEnd = 0;

  /** Reads the KeyValue up to the reader's limit: its text is in `#text`, its key between what is returned and `#keyEnd`. */
  #attribute(): number {
    const reader = this.#reader;
    let keyStart = 0;
    this.#keyEnd = 0;
    this.#text.clear();
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === KEY) {
        this.#keyEnd = reader.range();
        keyStart = reader.position;
        reader.position = this.#keyEnd;
      } else if (tag === VALUE) {
        const outer = reader.enter();
        this.#text.read();
        reader.leave(outer);
      } else reader.skip(tag);
    }
    return keyStart;
  }
}

const decoder = new MetricsDecoder();

/**
 * Lines of the metrics log, which `memory` accounts for, from the bytes of an ExportMetricsServiceRequest. Throws
 * `invalid_body` when they are not one.
 * Strings that are not UTF-8 have U+FFFD where they are not.
 */
export function metricsFromProtobuf(body: Uint8Array, limits: ScanLimits, memory?: MemoryAccount): MetricLines {
  return decoder.decode(body, limits, memory);
}
