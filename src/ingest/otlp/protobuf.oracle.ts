import { BinaryReader } from '@bufbuild/protobuf/wire';

/** What a field holds; `[type]` is repeated. Messages are given by their fields. */
type Scalar = 'string' | 'bytes' | 'bool' | 'int64' | 'int32' | 'uint32' | 'fixed32' | 'fixed64' | 'double';
export interface Fields {
  [number: number]: readonly [name: string, type: Scalar | (() => Fields), repeated?: 'repeated'];
}

const ANY: Fields = {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', () => ({ 1: ['values', () => ANY, 'repeated'] })],
  6: ['kvlistValue', () => ({ 1: ['values', () => KEY_VALUE, 'repeated'] })],
  7: ['bytesValue', 'bytes'],
};
const KEY_VALUE: Fields = { 1: ['key', 'string'], 2: ['value', () => ANY] };
const attributes = (name = 'attributes'): Fields[number] => [name, () => KEY_VALUE, 'repeated'];
const RESOURCE: Fields = { 1: attributes(), 2: ['droppedAttributesCount', 'uint32'] };
const SCOPE: Fields = {
  1: ['name', 'string'],
  2: ['version', 'string'],
  3: attributes(),
  4: ['droppedAttributesCount', 'uint32'],
};
const LOG: Fields = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['severityNumber', 'int32'],
  3: ['severityText', 'string'],
  5: ['body', () => ANY],
  6: attributes(),
  7: ['droppedAttributesCount', 'uint32'],
  8: ['flags', 'fixed32'],
  9: ['traceId', 'bytes'],
  10: ['spanId', 'bytes'],
  11: ['observedTimeUnixNano', 'fixed64'],
  12: ['eventName', 'string'],
};
const SPAN_EVENT: Fields = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['name', 'string'],
  3: attributes(),
  4: ['droppedAttributesCount', 'uint32'],
};
const SPAN_LINK: Fields = {
  1: ['traceId', 'bytes'],
  2: ['spanId', 'bytes'],
  3: ['traceState', 'string'],
  4: attributes(),
  5: ['droppedAttributesCount', 'uint32'],
  6: ['flags', 'fixed32'],
};
const SPAN: Fields = {
  1: ['traceId', 'bytes'],
  2: ['spanId', 'bytes'],
  3: ['traceState', 'string'],
  4: ['parentSpanId', 'bytes'],
  5: ['name', 'string'],
  6: ['kind', 'int32'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: attributes(),
  10: ['droppedAttributesCount', 'uint32'],
  11: ['events', () => SPAN_EVENT, 'repeated'],
  12: ['droppedEventsCount', 'uint32'],
  13: ['links', () => SPAN_LINK, 'repeated'],
  14: ['droppedLinksCount', 'uint32'],
  15: ['status', () => ({ 2: ['message', 'string'], 3: ['code', 'int32'] })],
  16: ['flags', 'fixed32'],
};
/** Names do not matter to what is read: `resources` of `scopes` of `records`. */
const request = (record: Fields): Fields => ({
  1: [
    'resources',
    () => ({
      1: ['resource', () => RESOURCE],
      2: ['scopes', () => ({ 1: ['scope', () => SCOPE], 2: ['records', () => record, 'repeated'] }), 'repeated'],
    }),
    'repeated',
  ],
});
export const LOGS_REQUEST: Fields = request(LOG);
export const TRACES_REQUEST: Fields = request(SPAN);

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is the table's
export type Decoded = Record<string, any>;

function scalar(reader: BinaryReader, type: Scalar): unknown {
  switch (type) {
    case 'bytes':
      return Buffer.from(reader.bytes());
    case 'string':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(reader.bytes());
    case 'int64':
    case 'fixed64':
      return BigInt(reader[type]());
    default:
      return reader[type]();
  }
}

/** A protobuf message as an object: repeated fields as arrays, absent ones absent, 64-bit integers as bigint. */
export function decodeMessage(fields: Fields, bytes: Uint8Array): Decoded {
  const reader = new BinaryReader(bytes);
  const message: Decoded = {};
  for (const [name, , repeated] of Object.values(fields)) if (repeated) message[name] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (!field) {
      reader.skip(wireType);
      continue;
    }
    const [name, type, repeated] = field;
    const value = typeof type === 'function' ? decodeMessage(type(), reader.bytes()) : scalar(reader, type);
    if (repeated) message[name].push(value);
    else message[name] = value;
  }
  return message;
}
