/** Fields of a protobuf message as bytes (protobuf.dev, "Encoding"); a message is the concatenation of its fields. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

/** `bytes` are the eight that stand in the message. */
export function fixed64Field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + FIXED64), bytes]);
}

export function doubleBytes(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** A string, bytes, or a message given as its fields. */
export function lengthField(number: number, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint(number * 8 + LENGTH), varint(bytes.length), bytes]);
}
