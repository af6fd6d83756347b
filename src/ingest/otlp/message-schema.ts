/** How a field of a protobuf message stands in OTLP/JSON. */
export type ScalarType =
  | 'string'
  /** Base64. */
  | 'bytes'
  /** The ids, which OTLP/JSON writes in hexadecimal. */
  | 'hex'
  | 'bool'
  /** int32, uint32, int64 and uint64: varints, all of them. */
  | 'integer'
  | 'sint32'
  | 'fixed32'
  /** fixed64 and sfixed64. */
  | 'fixed64'
  | 'double';

export interface FieldSchema {
  number: number;
  type: ScalarType | 'message';
  repeated: boolean;
  /** Of a message; a function, because messages nest in themselves. */
  message?: () => MessageSchema;
  /** Numbers of an enum by name. */
  names?: ReadonlyMap<string, number>;
}

/** Fields by their JSON name. */
export type MessageSchema = ReadonlyMap<string, FieldSchema>;

export const scalar = (number: number, type: ScalarType): FieldSchema => ({ number, type, repeated: false });
export const list = (number: number, type: ScalarType): FieldSchema => ({ number, type, repeated: true });
export const message = (number: number, schema: () => MessageSchema): FieldSchema => ({
  number,
  type: 'message',
  repeated: false,
  message: schema,
});
export const messages = (number: number, schema: () => MessageSchema): FieldSchema => ({
  ...message(number, schema),
  repeated: true,
});
/** An enum: its names in the order of their numbers, from 0, behind a common prefix. */
export const enumeration = (number: number, prefix: string, names: readonly string[]): FieldSchema => ({
  ...scalar(number, 'integer'),
  names: new Map(names.map((name, value) => [prefix + name, value])),
});

export const schema = (fields: Record<string, FieldSchema>): MessageSchema => new Map(Object.entries(fields));

/** opentelemetry/proto/common/v1/common.proto */
const ANY_VALUE: MessageSchema = schema({
  stringValue: scalar(1, 'string'),
  boolValue: scalar(2, 'bool'),
  intValue: scalar(3, 'integer'),
  doubleValue: scalar(4, 'double'),
  arrayValue: message(5, () => schemaOfArray),
  kvlistValue: message(6, () => schemaOfList),
  bytesValue: scalar(7, 'bytes'),
});
const schemaOfArray: MessageSchema = schema({ values: messages(1, () => ANY_VALUE) });
export const KEY_VALUE: MessageSchema = schema({ key: scalar(1, 'string'), value: message(2, () => ANY_VALUE) });
const schemaOfList: MessageSchema = schema({ values: messages(1, () => KEY_VALUE) });

const SCOPE: MessageSchema = schema({
  name: scalar(1, 'string'),
  version: scalar(2, 'string'),
  attributes: messages(3, () => KEY_VALUE),
  droppedAttributesCount: scalar(4, 'integer'),
});

/** opentelemetry/proto/resource/v1/resource.proto */
const RESOURCE: MessageSchema = schema({
  attributes: messages(1, () => KEY_VALUE),
  droppedAttributesCount: scalar(2, 'integer'),
});

export const anyValue = (number: number): FieldSchema => message(number, () => ANY_VALUE);

/** Export*ServiceRequest, whose kinds differ in names only: `resources` of `scopes` of `records`. */
export function requestSchema(
  names: { resources: string; scopes: string; records: string },
  record: MessageSchema,
): MessageSchema {
  const scopes = schema({ scope: message(1, () => SCOPE), [names.records]: messages(2, () => record) });
  const resources = schema({ resource: message(1, () => RESOURCE), [names.scopes]: messages(2, () => scopes) });
  return schema({ [names.resources]: messages(1, () => resources) });
}
