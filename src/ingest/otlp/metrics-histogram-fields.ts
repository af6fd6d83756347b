import type { SparseBuckets } from '../exponential-buckets.ts';
import type { HistogramPoint } from '../metric-histogram.ts';
import { MAX_LIST_LENGTH } from '../metric-histogram.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';

const COUNT = 33;
const SUM = 41;
const PACKED_COUNTS = 50;
const COUNTS = 49;
const PACKED_BOUNDS = 58;
const BOUNDS = 57;
const MIN = 89;
const MAX = 97;

const SCALE = 48;
const ZERO_COUNT = 57;
const POSITIVE = 66;
const NEGATIVE = 74;
const EXPONENTIAL_MIN = 97;
const EXPONENTIAL_MAX = 105;
const ZERO_THRESHOLD = 113;
const OFFSET = 8;
const PACKED_BUCKET_COUNTS = 18;
const BUCKET_COUNTS = 16;

const QUANTILE_VALUES = 50;
const QUANTILE = 9;
const VALUE = 17;

/** Longer lists are rejected by their length, so what lies beyond is not kept. */
function push(list: number[], value: number): void {
  if (list.length <= MAX_LIST_LENGTH) list.push(value);
}

/** Reads a field of a HistogramDataPoint other than times, attributes and flags. */
export function readExplicit(reader: ProtobufReader, tag: number, point: HistogramPoint): void {
  switch (tag) {
    case COUNT:
      point.count = reader.fixed64();
      break;
    case SUM:
      point.sum = reader.double();
      break;
    case COUNTS:
      push(point.counts, reader.fixed64());
      break;
    case BOUNDS:
      push(point.bounds, reader.double());
      break;
    case PACKED_COUNTS: {
      const outer = reader.enter();
      while (reader.position < reader.limit) push(point.counts, reader.fixed64());
      reader.leave(outer);
      break;
    }
    case PACKED_BOUNDS: {
      const outer = reader.enter();
      while (reader.position < reader.limit) push(point.bounds, reader.double());
      reader.leave(outer);
      break;
    }
    case MIN:
      point.min = reader.double();
      break;
    case MAX:
      point.max = reader.double();
      break;
    default:
      reader.skip(tag);
  }
}

/** Reads a field of an ExponentialHistogramDataPoint other than times, attributes and flags. */
export function readExponential(reader: ProtobufReader, tag: number, point: HistogramPoint): void {
  switch (tag) {
    case COUNT:
      point.count = reader.fixed64();
      break;
    case SUM:
      point.sum = reader.double();
      break;
    case SCALE:
      point.scale = reader.sint32();
      break;
    case ZERO_COUNT:
      point.zeroCount = reader.fixed64();
      break;
    case POSITIVE:
      readBuckets(reader, point.positive);
      break;
    case NEGATIVE:
      readBuckets(reader, point.negative);
      break;
    case EXPONENTIAL_MIN:
      point.min = reader.double();
      break;
    case EXPONENTIAL_MAX:
      point.max = reader.double();
      break;
    case ZERO_THRESHOLD:
      point.zeroThreshold = reader.double();
      break;
    default:
      reader.skip(tag);
  }
}

function readBuckets(reader: ProtobufReader, buckets: SparseBuckets): void {
  const outer = reader.enter();
  const start = reader.position;
  let offset = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === OFFSET) offset = reader.sint32();
    else reader.skip(tag);
  }
  reader.position = start;
  buckets.clear();
  let index = offset;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === BUCKET_COUNTS) buckets.add(index++, reader.varint());
    else if (tag === PACKED_BUCKET_COUNTS) {
      const packed = reader.enter();
      while (reader.position < reader.limit) buckets.add(index++, reader.varint());
      reader.leave(packed);
    } else reader.skip(tag);
  }
  reader.leave(outer);
}

/** Reads a field of a SummaryDataPoint other than times, attributes and flags. */
export function readSummary(reader: ProtobufReader, tag: number, point: HistogramPoint): void {
  if (tag === COUNT) point.count = reader.fixed64();
  else if (tag === SUM) point.sum = reader.double();
  else if (tag !== QUANTILE_VALUES) reader.skip(tag);
  else {
    const outer = reader.enter();
    let quantile = 0;
    let value = 0;
    for (let field = reader.tag(); field !== 0; field = reader.tag()) {
      if (field === QUANTILE) quantile = reader.double();
      else if (field === VALUE) value = reader.double();
      else reader.skip(field);
    }
    push(point.quantiles, quantile);
    push(point.quantileValues, value);
    reader.leave(outer);
  }
}
