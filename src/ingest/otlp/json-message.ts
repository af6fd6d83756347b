import { HeliosError } from '../../lib/errors.ts';
import { NOT_ACCOUNTED } from '../pending-bytes.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import type { FieldSchema, MessageSchema } from './message-schema.ts';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const WIRE_TYPES = {
  string: LENGTH_DELIMITED,
  bytes: LENGTH_DELIMITED,
  hex: LENGTH_DELIMITED,
  message: LENGTH_DELIMITED,
  bool: VARINT,
  integer: VARINT,
  sint32: VARINT,
  fixed32: FIXED32,
  fixed64: FIXED64,
  double: FIXED64,
} as const;

const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew further is given away, not kept. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** Lengths of embedded messages are known only afterwards, so they take as many bytes as the longest. */
const LENGTH_BYTES = 5;
/** Deeper messages become empty: whoever reads them does not go as deep (`AnyValueWriter`). */
const MAX_DEPTH = 100;
const TWO_32 = 2 ** 32;
const INTEGER = /^-?\d{1,20}$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const SPECIAL_DOUBLES: Record<string, number> = { NaN, Infinity, '-Infinity': -Infinity };

type JsonObject = Record<string, unknown>;

/**
 * OTLP/JSON to the same message in protobuf, so that there is one reading of what a message means (OTLP specification 1.x,
 * "JSON Protobuf Encoding"): lowerCamelCase names, unknown ones ignored, null as absent, 64-bit integers as numbers or
 * strings, ids in hexadecimal, enums as numbers or names. Throws `invalid_body` naming the field.
 */
export class JsonMessageEncoder {
  readonly #schema: MessageSchema;
  readonly #name: string;
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  /** Names and indexes on the way to the field being encoded. */
  readonly #path: (string | number)[] = [];

  /** `name` is the message's, for errors. */
  constructor(schema: MessageSchema, name: string) {
    this.#schema = schema;
    this.#name = name;
  }

  /** `memory` accounts for what is returned; its `reserve` may throw. */
  encode(body: Uint8Array, memory: MemoryAccount = NOT_ACCOUNTED): Uint8Array {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
    } catch {
      throw new HeliosError('invalid_body', `cannot read ${this.#name}: it is not valid JSON`);
    }
    this.#length = 0;
    this.#path.length = 0;
    if (!isObject(value)) throw new HeliosError('invalid_body', `cannot read ${this.#name}: it must be a JSON object`);
    try {
      this.#message(this.#schema, value);
      const encoded = this.#bytes.subarray(0, this.#length);
      const isKept = this.#bytes.length <= MAX_KEPT_BYTES;
      memory.reserve(isKept ? encoded.length : this.#bytes.length);
      return isKept ? Buffer.from(encoded) : encoded;
    } finally {
      if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    }
  }

  #message(schema: MessageSchema, object: JsonObject): void {
    for (const name of Object.keys(object)) {
      const value = object[name];
      const field = schema.get(name);
      if (!field || value === null) continue;
      this.#path.push(name);
      if (field.repeated) this.#list(field, value);
      else {
        this.#tag(field.number, WIRE_TYPES[field.type]);
        this.#value(field, value);
      }
      this.#path.pop();
    }
  }

  #list(field: FieldSchema, value: unknown): void {
    if (!Array.isArray(value)) this.#fail('must be an array');
    const isPacked = WIRE_TYPES[field.type] !== LENGTH_DELIMITED;
    let start = 0;
    if (isPacked) {
      this.#tag(field.number, LENGTH_DELIMITED);
      start = this.#openLength();
    }
    for (const [index, element] of value.entries()) {
      this.#path.push(index);
      if (!isPacked) this.#tag(field.number, LENGTH_DELIMITED);
      this.#value(field, element);
      this.#path.pop();
    }
    if (isPacked) this.#closeLength(start);
  }

  #value(field: FieldSchema, value: unknown): void {
    switch (field.type) {
      case 'message':
        this.#embedded(field, value);
        break;
      case 'string':
        if (typeof value !== 'string') this.#fail('must be a string');
        this.#bytesOf(value, 'utf8');
        break;
      case 'hex':
        if (typeof value !== 'string' || !HEX.test(value)) this.#fail('must be a string of hexadecimal digits');
        this.#bytesOf(value, 'hex');
        break;
      case 'bytes':
        if (typeof value !== 'string' || !BASE64.test(value)) this.#fail('must be a string of base64');
        this.#bytesOf(value, 'base64');
        break;
      case 'bool':
        if (typeof value !== 'boolean') this.#fail('must be true or false');
        this.#varint(value ? 1 : 0, 0);
        break;
      case 'double':
        this.#ensure(8);
        this.#length = this.#bytes.writeDoubleLE(this.#double(value), this.#length);
        break;
      default:
        this.#integer(field, value);
    }
  }

  #embedded(field: FieldSchema, value: unknown): void {
    if (!isObject(value)) this.#fail('must be an object');
    const start = this.#openLength();
    if (this.#path.length < MAX_DEPTH) this.#message((field.message as () => MessageSchema)(), value);
    this.#closeLength(start);
  }

  #integer({ type, names }: FieldSchema, value: unknown): void {
    const known = typeof value === 'string' ? names?.get(value) : undefined;
    let low: number;
    let high: number;
    const number = known ?? value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) {
      low = number >>> 0;
      high = Math.floor(number / TWO_32) >>> 0;
    } else {
      const digits =
        typeof number === 'number' ? BigInt(Number.isInteger(number) ? number : this.#fail('must be an integer')) : null;
      const big =
        digits ?? BigInt(typeof number === 'string' && INTEGER.test(number) ? number : this.#fail('must be an integer'));
      low = Number(BigInt.asUintN(32, big));
      high = Number(BigInt.asUintN(32, big >> 32n));
    }
    if (type === 'integer') this.#varint(low, high);
    else if (type === 'sint32') this.#varint(((low << 1) ^ (low >> 31)) >>> 0, 0);
    else {
      this.#ensure(8);
      this.#length = this.#bytes.writeUInt32LE(low, this.#length);
      if (type === 'fixed64') this.#length = this.#bytes.writeUInt32LE(high, this.#length);
    }
  }

  #double(value: unknown): number {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string') return this.#fail('must be a number');
    if (Object.hasOwn(SPECIAL_DOUBLES, value)) return SPECIAL_DOUBLES[value] as number;
    const number = value.trim() === '' ? NaN : Number(value);
    return Number.isNaN(number) ? this.#fail('must be a number') : number;
  }

  #bytesOf(value: string, encoding: 'utf8' | 'hex' | 'base64'): void {
    const start = this.#openLength();
    const length = Buffer.byteLength(value, encoding);
    this.#ensure(length);
    // Base64 may decode to less than its length says: stray bits at its end stand for nothing.
    this.#length += this.#bytes.write(value, start, length, encoding);
    this.#closeLength(start);
  }

  /** Leaves room for a length; returns the index behind it. */
  #openLength(): number {
    this.#ensure(LENGTH_BYTES);
    return (this.#length += LENGTH_BYTES);
  }

  #closeLength(start: number): void {
    let length = this.#length - start;
    for (let at = start - LENGTH_BYTES; at < start - 1; at++) {
      this.#bytes[at] = (length & 127) | 128;
      length >>>= 7;
    }
    this.#bytes[start - 1] = length;
  }

  #tag(number: number, wireType: number): void {
    this.#varint(number * 8 + wireType, 0);
  }

  #varint(low: number, high: number): void {
    this.#ensure(10);
    let lower = low;
    let upper = high;
    while (upper !== 0 || lower > 127) {
      this.#bytes[this.#length++] = (lower & 127) | 128;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.#bytes[this.#length++] = lower;
  }

  #ensure(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #fail(reason: string): never {
    const path = this.#path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
    throw new HeliosError('invalid_body', `cannot read ${this.#name}: ${path.slice(1)} ${reason}`, {
      details: { field: path.slice(1) },
    });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
