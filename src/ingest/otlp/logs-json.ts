import type { MemoryAccount } from '../pending-bytes.ts';
import { JsonMessageEncoder } from './json-message.ts';
import { anyValue, enumeration, KEY_VALUE, messages, requestSchema, scalar, schema } from './message-schema.ts';

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((name) => [
  name,
  `${name}2`,
  `${name}3`,
  `${name}4`,
]);

/** opentelemetry/proto/logs/v1/logs.proto */
const LOG_RECORD = schema({
  timeUnixNano: scalar(1, 'fixed64'),
  severityNumber: enumeration(2, 'SEVERITY_NUMBER_', ['UNSPECIFIED', ...SEVERITIES]),
  severityText: scalar(3, 'string'),
  body: anyValue(5),
  attributes: messages(6, () => KEY_VALUE),
  droppedAttributesCount: scalar(7, 'integer'),
  flags: scalar(8, 'fixed32'),
  traceId: scalar(9, 'hex'),
  spanId: scalar(10, 'hex'),
  observedTimeUnixNano: scalar(11, 'fixed64'),
  eventName: scalar(12, 'string'),
});

const encoder = new JsonMessageEncoder(
  requestSchema({ resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' }, LOG_RECORD),
  'ExportLogsServiceRequest',
);

/** ExportLogsServiceRequest from OTLP/JSON to protobuf; throws `invalid_body` naming the field. */
export function logsFromJson(body: Uint8Array, memory?: MemoryAccount): Uint8Array {
  return encoder.encode(body, memory);
}
