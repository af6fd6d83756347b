import type { MemoryAccount } from '../pending-bytes.ts';
import { JsonMessageEncoder } from './json-message.ts';
import { enumeration, KEY_VALUE, list, message, messages, requestSchema, scalar, schema } from './message-schema.ts';
import type { MessageSchema } from './message-schema.ts';

/** opentelemetry/proto/metrics/v1/metrics.proto; exemplars are not read, so they are not here. */
const NUMBER_POINT = schema({
  startTimeUnixNano: scalar(2, 'fixed64'),
  timeUnixNano: scalar(3, 'fixed64'),
  asDouble: scalar(4, 'double'),
  asInt: scalar(6, 'fixed64'),
  attributes: messages(7, () => KEY_VALUE),
  flags: scalar(8, 'integer'),
});

const HISTOGRAM_POINT = schema({
  startTimeUnixNano: scalar(2, 'fixed64'),
  timeUnixNano: scalar(3, 'fixed64'),
  count: scalar(4, 'fixed64'),
  sum: scalar(5, 'double'),
  bucketCounts: list(6, 'fixed64'),
  explicitBounds: list(7, 'double'),
  attributes: messages(9, () => KEY_VALUE),
  flags: scalar(10, 'integer'),
  min: scalar(11, 'double'),
  max: scalar(12, 'double'),
});

const BUCKETS = schema({ offset: scalar(1, 'sint32'), bucketCounts: list(2, 'integer') });

const EXPONENTIAL_POINT = schema({
  attributes: messages(1, () => KEY_VALUE),
  startTimeUnixNano: scalar(2, 'fixed64'),
  timeUnixNano: scalar(3, 'fixed64'),
  count: scalar(4, 'fixed64'),
  sum: scalar(5, 'double'),
  scale: scalar(6, 'sint32'),
  zeroCount: scalar(7, 'fixed64'),
  positive: message(8, () => BUCKETS),
  negative: message(9, () => BUCKETS),
  flags: scalar(10, 'integer'),
  min: scalar(12, 'double'),
  max: scalar(13, 'double'),
  zeroThreshold: scalar(14, 'double'),
});

const QUANTILE_VALUE = schema({ quantile: scalar(1, 'double'), value: scalar(2, 'double') });

const SUMMARY_POINT = schema({
  startTimeUnixNano: scalar(2, 'fixed64'),
  timeUnixNano: scalar(3, 'fixed64'),
  count: scalar(4, 'fixed64'),
  sum: scalar(5, 'double'),
  quantileValues: messages(6, () => QUANTILE_VALUE),
  attributes: messages(7, () => KEY_VALUE),
  flags: scalar(8, 'integer'),
});

const TEMPORALITY = enumeration(2, 'AGGREGATION_TEMPORALITY_', ['UNSPECIFIED', 'DELTA', 'CUMULATIVE']);

/** What a metric holds: points of one type, and fields of its own. */
function dataOf(point: MessageSchema, fields: Parameters<typeof schema>[0] = {}): () => MessageSchema {
  const data = schema({ dataPoints: messages(1, () => point), ...fields });
  return () => data;
}

const METRIC = schema({
  name: scalar(1, 'string'),
  unit: scalar(3, 'string'),
  gauge: message(5, dataOf(NUMBER_POINT)),
  sum: message(7, dataOf(NUMBER_POINT, { aggregationTemporality: TEMPORALITY, isMonotonic: scalar(3, 'bool') })),
  histogram: message(9, dataOf(HISTOGRAM_POINT, { aggregationTemporality: TEMPORALITY })),
  exponentialHistogram: message(10, dataOf(EXPONENTIAL_POINT, { aggregationTemporality: TEMPORALITY })),
  summary: message(11, dataOf(SUMMARY_POINT)),
});

const encoder = new JsonMessageEncoder(
  requestSchema({ resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' }, METRIC),
  'ExportMetricsServiceRequest',
);

/** ExportMetricsServiceRequest from OTLP/JSON to protobuf; throws `invalid_body` naming the field. */
export function metricsFromJson(body: Uint8Array, memory?: MemoryAccount): Uint8Array {
  return encoder.encode(body, memory);
}
