import type { MemoryAccount } from '../pending-bytes.ts';
import { JsonMessageEncoder } from './json-message.ts';
import { enumeration, KEY_VALUE, message, messages, requestSchema, scalar, schema } from './message-schema.ts';

/** opentelemetry/proto/trace/v1/trace.proto */
const EVENT = schema({
  timeUnixNano: scalar(1, 'fixed64'),
  name: scalar(2, 'string'),
  attributes: messages(3, () => KEY_VALUE),
  droppedAttributesCount: scalar(4, 'integer'),
});

const LINK = schema({
  traceId: scalar(1, 'hex'),
  spanId: scalar(2, 'hex'),
  traceState: scalar(3, 'string'),
  attributes: messages(4, () => KEY_VALUE),
  droppedAttributesCount: scalar(5, 'integer'),
  flags: scalar(6, 'fixed32'),
});

const STATUS = schema({
  message: scalar(2, 'string'),
  code: enumeration(3, 'STATUS_CODE_', ['UNSET', 'OK', 'ERROR']),
});

const SPAN = schema({
  traceId: scalar(1, 'hex'),
  spanId: scalar(2, 'hex'),
  traceState: scalar(3, 'string'),
  parentSpanId: scalar(4, 'hex'),
  name: scalar(5, 'string'),
  kind: enumeration(6, 'SPAN_KIND_', ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']),
  startTimeUnixNano: scalar(7, 'fixed64'),
  endTimeUnixNano: scalar(8, 'fixed64'),
  attributes: messages(9, () => KEY_VALUE),
  droppedAttributesCount: scalar(10, 'integer'),
  events: messages(11, () => EVENT),
  droppedEventsCount: scalar(12, 'integer'),
  links: messages(13, () => LINK),
  droppedLinksCount: scalar(14, 'integer'),
  status: message(15, () => STATUS),
  flags: scalar(16, 'fixed32'),
});

const encoder = new JsonMessageEncoder(
  requestSchema({ resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' }, SPAN),
  'ExportTraceServiceRequest',
);

/** ExportTraceServiceRequest from OTLP/JSON to protobuf; throws `invalid_body` naming the field. */
export function tracesFromJson(body: Uint8Array, memory?: MemoryAccount): Uint8Array {
  return encoder.encode(body, memory);
}
