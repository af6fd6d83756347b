import type { HistogramPoint } from '../metric-histogram.ts';
import { MAX_FILLED_BUCKETS } from '../exponential-buckets.ts';
import type { SparseBuckets } from '../exponential-buckets.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';

/** Tags of Histogram, the same in both versions (prompb/types.proto, io/prometheus/write/v2/types.proto). */
const COUNT_INT = 8;
const COUNT_FLOAT = 17;
const SUM = 25;
const SCHEMA = 32;
const ZERO_THRESHOLD = 41;
const ZERO_COUNT_INT = 48;
const ZERO_COUNT_FLOAT = 57;
const NEGATIVE_SPANS = 66;
const NEGATIVE_DELTAS = [74, 72] as const;
const NEGATIVE_COUNTS = [82, 81] as const;
const POSITIVE_SPANS = 90;
const POSITIVE_DELTAS = [98, 96] as const;
const POSITIVE_COUNTS = [106, 105] as const;
const RESET_HINT = 112;
const TIMESTAMP = 120;
const CUSTOM_VALUES = [130, 129] as const;
const START_TIMESTAMP = 136;
const SPAN_OFFSET = 8;
const SPAN_LENGTH = 16;

const RESET_HINT_GAUGE = 3;
const CUSTOM_BUCKETS = -53;
const MIN_SCHEMA = -4;
const MAX_SCHEMA = 8;
const TWO_32 = 2 ** 32;

type Problem = readonly [field: string, reason: string];

/** Value of the int64 that the reader read last. */
export function int64(reader: ProtobufReader): number {
  return (reader.high | 0) * TWO_32 + reader.low;
}

/** The NaN that marks the end of a series (Prometheus, "Staleness"), by the halves of its bits. */
export function isStale(low: number, high: number): boolean {
  return low === 2 && high === 0x7ff0_0000;
}

function zigzag(reader: ProtobufReader): number {
  const isNegative = (reader.low & 1) === 1;
  const half = Math.floor(reader.high / 2) * TWO_32 + (((reader.low >>> 1) | ((reader.high & 1) << 31)) >>> 0);
  return isNegative ? -half - 1 : half;
}

/** Buckets of one sign as sent: spans of indexes, and their counts, absolute or each as the difference to the one before. */
class SpannedBuckets {
  readonly spans: number[] = [];
  readonly counts: number[] = [];
  #runningCount = 0;

  clear(): void {
    this.spans.length = 0;
    this.counts.length = 0;
    this.#runningCount = 0;
  }

  addCount(count: number): void {
    if (this.counts.length <= MAX_FILLED_BUCKETS) this.counts.push(count);
  }

  addDelta(delta: number): void {
    this.#runningCount += delta;
    this.addCount(this.#runningCount);
  }

  readSpan(reader: ProtobufReader): void {
    const outer = reader.enter();
    let offset = 0;
    let length = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SPAN_OFFSET) offset = reader.sint32();
      else if (tag === SPAN_LENGTH) length = reader.varint();
      else reader.skip(tag);
    }
    reader.leave(outer);
    if (this.spans.length <= 2 * MAX_FILLED_BUCKETS) this.spans.push(offset, length);
  }

  /** Calls `add` with the index and count of each bucket; returns whether spans and counts go together. */
  forEach(add: (index: number, count: number) => void): boolean {
    let index = 0;
    let next = 0;
    for (let k = 0; k < this.spans.length; k += 2) {
      const length = this.spans[k + 1] as number;
      if (length > this.counts.length - next) return false;
      index += this.spans[k] as number;
      for (let i = 0; i < length; i++) add(index++, this.counts[next++] as number);
    }
    return next === this.counts.length;
  }
}

/** Reads a native histogram into the point that an OTLP histogram of the same content gives. Reused from one to the next. */
export class NativeHistogram {
  timestampMs = 0;
  /** 0 when not set. */
  startMs = 0;
  isGauge = false;
  /** The series has ended: nothing else is set. */
  isStale = false;
  #schema = 0;
  readonly #positive = new SpannedBuckets();
  readonly #negative = new SpannedBuckets();
  readonly #bounds: number[] = [];

  /** Reads the message up to the reader's limit; returns what is wrong with it, or null. */
  read(reader: ProtobufReader, point: HistogramPoint): Problem | null {
    this.#clear();
    point.clear();
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) this.#field(reader, tag, point);
    return this.isStale ? null : this.#convert(point);
  }

  #clear(): void {
    this.timestampMs = 0;
    this.startMs = 0;
    this.isGauge = false;
    this.isStale = false;
    this.#schema = 0;
    this.#positive.clear();
    this.#negative.clear();
    this.#bounds.length = 0;
  }

  #field(reader: ProtobufReader, tag: number, point: HistogramPoint): void {
    switch (tag) {
      case COUNT_INT:
        point.count = reader.varint();
        break;
      case COUNT_FLOAT:
        point.count = reader.double();
        break;
      case SUM: {
        const at = reader.position;
        reader.fixed64();
        this.isStale = isStale(reader.low, reader.high);
        reader.position = at;
        point.sum = reader.double();
        break;
      }
      case SCHEMA:
        this.#schema = reader.sint32();
        break;
      case ZERO_THRESHOLD:
        point.zeroThreshold = reader.double();
        break;
      case ZERO_COUNT_INT:
        point.zeroCount = reader.varint();
        break;
      case ZERO_COUNT_FLOAT:
        point.zeroCount = reader.double();
        break;
      case RESET_HINT:
        this.isGauge = reader.varint() === RESET_HINT_GAUGE;
        break;
      case TIMESTAMP:
        reader.varint();
        this.timestampMs = int64(reader);
        break;
      case START_TIMESTAMP:
        reader.varint();
        this.startMs = int64(reader);
        break;
      default:
        this.#list(reader, tag);
    }
  }

  #list(reader: ProtobufReader, tag: number): void {
    if (tag === POSITIVE_SPANS) this.#positive.readSpan(reader);
    else if (tag === NEGATIVE_SPANS) this.#negative.readSpan(reader);
    else if (isOneOf(tag, POSITIVE_DELTAS)) eachOf(reader, tag, () => this.#positive.addDelta(delta(reader)));
    else if (isOneOf(tag, NEGATIVE_DELTAS)) eachOf(reader, tag, () => this.#negative.addDelta(delta(reader)));
    else if (isOneOf(tag, POSITIVE_COUNTS)) eachOf(reader, tag, () => this.#positive.addCount(reader.double()));
    else if (isOneOf(tag, NEGATIVE_COUNTS)) eachOf(reader, tag, () => this.#negative.addCount(reader.double()));
    else if (isOneOf(tag, CUSTOM_VALUES)) {
      eachOf(reader, tag, () => {
        const bound = reader.double();
        if (this.#bounds.length <= MAX_FILLED_BUCKETS) this.#bounds.push(bound);
      });
    } else reader.skip(tag);
  }

  #convert(point: HistogramPoint): Problem | null {
    if (this.#schema === CUSTOM_BUCKETS) return this.#convertCustom(point);
    if (this.#schema < MIN_SCHEMA || this.#schema > MAX_SCHEMA) {
      return ['schema', `must be from ${MIN_SCHEMA} to ${MAX_SCHEMA}, or ${CUSTOM_BUCKETS}`];
    }
    point.scale = this.#schema;
    return fill(this.#positive, point.positive, 'positive_spans') ?? fill(this.#negative, point.negative, 'negative_spans');
  }

  #convertCustom(point: HistogramPoint): Problem | null {
    point.bounds.push(...this.#bounds);
    const counts = Array.from({ length: this.#bounds.length + 1 }, () => 0);
    let fits = true;
    const goTogether = this.#positive.forEach((index, count) => {
      if (counts[index] === undefined) fits = false;
      else counts[index] = count;
    });
    if (!goTogether || !fits) return ['positive_spans', 'must cover as many buckets as there are counts and custom values'];
    point.counts.push(...counts);
    return null;
  }

  /** Whether the buckets have bounds of their own. */
  get hasCustomBuckets(): boolean {
    return this.#schema === CUSTOM_BUCKETS;
  }
}

function isOneOf(tag: number, [packed, single]: readonly [packed: number, single: number]): boolean {
  return tag === packed || tag === single;
}

function delta(reader: ProtobufReader): number {
  reader.varint();
  return zigzag(reader);
}

/** Reads the elements of a repeated number, packed or not. */
function eachOf(reader: ProtobufReader, tag: number, read: () => void): void {
  if ((tag & 7) !== 2) {
    read();
    return;
  }
  const outer = reader.enter();
  while (reader.position < reader.limit) read();
  reader.leave(outer);
}

/** A native bucket is named by its upper boundary, one above OpenTelemetry's name of it. */
function fill(from: SpannedBuckets, to: SparseBuckets, field: string): Problem | null {
  let isNegative = false;
  let last = -Infinity;
  let ascends = true;
  const goTogether = from.forEach((index, count) => {
    isNegative ||= count < 0;
    ascends &&= index > last;
    last = index;
    to.add(index - 1, count);
  });
  if (!goTogether || !ascends) return [field, 'must ascend and cover as many buckets as there are counts'];
  return isNegative ? [field, 'must not have negative counts'] : null;
}
