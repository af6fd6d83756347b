import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, JsonObject, JsonValue, Message } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { FILE_DESCRIPTIONS } from './descriptors.ts';

const files = FILE_DESCRIPTIONS.map(({ descriptor }) => fromBinary(FileDescriptorProtoSchema, Buffer.from(descriptor, 'base64')));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
const REQUEST = registry.getMessage('helios.v1.PublishRequest') as DescMessage;
const EVENT = registry.getMessage('helios.v1.Event') as DescMessage;

interface EventMessage extends Message {
  timestamp?: Timestamp;
  service: string;
  level: string;
  message: string;
  metadata?: JsonObject;
  latencyMs?: number;
  endpoint: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
}

type Event = Record<string, unknown>;

export function encodeEvent(event: object): Uint8Array {
  return toBinary(EVENT, create(EVENT, event as never));
}

/** What JSON has no number for is text, and there is one zero. */
function plainValue(value: JsonValue): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value === 'object' && value !== null) return plainObject(value);
  return value;
}

function plainObject(object: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, plainValue(value)]));
}

function timeText({ seconds, nanos }: Timestamp): string {
  const text = new Date(Number(seconds) * 1000).toISOString();
  return text.replace('.000Z', `.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`);
}

function plainEvent(message: EventMessage): Event {
  const metadata: Record<string, unknown> = plainObject(message.metadata ?? {});
  if (message.latencyMs !== undefined) metadata['latency_ms'] = plainValue(message.latencyMs);
  if (message.endpoint !== '') metadata['endpoint'] = message.endpoint;
  return {
    ...(message.timestamp && { timestamp: timeText(message.timestamp) }),
    ...(message.service !== '' && { service: message.service }),
    ...(message.level !== '' && { level: message.level }),
    message: message.message,
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(message.traceId !== '' && { trace_id: message.traceId }),
    ...(message.spanId !== '' && { span_id: message.spanId }),
    ...(message.parentSpanId !== '' && { parent_span_id: message.parentSpanId }),
  };
}

/** A PublishRequest read by protobuf-es, and its events as the native HTTP door takes them. Throws for what is none. */
export function readRequest(bytes: Uint8Array): { events: Event[]; idempotencyKey: string } {
  const request = fromBinary(REQUEST, bytes) as unknown as { events: EventMessage[]; idempotencyKey: string };
  return { events: request.events.map(plainEvent), idempotencyKey: request.idempotencyKey };
}
