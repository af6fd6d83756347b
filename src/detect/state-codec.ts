import { HeliosError } from '../lib/errors.ts';

/**
 * Plain state to bytes and back: null, undefined, booleans, numbers, strings, arrays, plain objects, Map, Set and typed arrays.
 * Little-endian, one tag byte before each value; object keys are interned, since states repeat the same few shapes.
 */
const MAGIC = 0x48_44_53_31;
const TYPED = [Float64Array, Float32Array, Uint32Array, Int32Array, Uint16Array, Uint8Array] as const;
type Typed = InstanceType<(typeof TYPED)[number]>;

const TAG_NULL = 0;
const TAG_UNDEFINED = 1;
const TAG_FALSE = 2;
const TAG_TRUE = 3;
const TAG_NUMBER = 4;
const TAG_INTEGER = 5;
const TAG_STRING = 6;
const TAG_ARRAY = 7;
const TAG_OBJECT = 8;
const TAG_MAP = 9;
const TAG_SET = 10;
const TAG_TYPED = 16;

class Writer {
  bytes = new Uint8Array(1 << 16);
  view = new DataView(this.bytes.buffer);
  length = 0;
  readonly keys = new Map<string, number>();
  readonly encoder = new TextEncoder();

  reserve(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  tag(tag: number): void {
    const at = this.reserve(1);
    this.bytes[at] = tag;
  }

  uint(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value, true);
  }

  number(value: number): void {
    if (Number.isInteger(value) && value >= -0x8000_0000 && value <= 0x7fff_ffff && !Object.is(value, -0)) {
      this.tag(TAG_INTEGER);
      const at = this.reserve(4);
      this.view.setInt32(at, value, true);
      return;
    }
    this.tag(TAG_NUMBER);
    const at = this.reserve(8);
    this.view.setFloat64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    this.uint(bytes.length);
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  key(key: string): void {
    const known = this.keys.get(key);
    if (known !== undefined) {
      this.uint(known + 1);
      return;
    }
    this.keys.set(key, this.keys.size);
    this.uint(0);
    this.raw(this.encoder.encode(key));
  }
}

function writeObject(writer: Writer, value: object): void {
  const type = TYPED.findIndex((candidate) => value instanceof candidate);
  if (type >= 0) {
    const typed = value as Typed;
    writer.tag(TAG_TYPED + type);
    writer.raw(new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength));
  } else if (Array.isArray(value)) {
    writer.tag(TAG_ARRAY);
    writer.uint(value.length);
    for (const item of value as unknown[]) write(writer, item);
  } else if (value instanceof Map) {
    writer.tag(TAG_MAP);
    writer.uint(value.size);
    for (const [key, item] of value as Map<unknown, unknown>) {
      write(writer, key);
      write(writer, item);
    }
  } else if (value instanceof Set) {
    writer.tag(TAG_SET);
    writer.uint(value.size);
    for (const item of value as Set<unknown>) write(writer, item);
  } else {
    const entries = Object.entries(value);
    writer.tag(TAG_OBJECT);
    writer.uint(entries.length);
    for (const [key, item] of entries) {
      writer.key(key);
      write(writer, item);
    }
  }
}

function write(writer: Writer, value: unknown): void {
  if (typeof value === 'number') writer.number(value);
  else if (typeof value === 'string') {
    writer.tag(TAG_STRING);
    writer.raw(writer.encoder.encode(value));
  } else if (value === null) writer.tag(TAG_NULL);
  else if (value === undefined) writer.tag(TAG_UNDEFINED);
  else if (typeof value === 'boolean') writer.tag(value ? TAG_TRUE : TAG_FALSE);
  else if (typeof value === 'object') writeObject(writer, value);
  else throw new TypeError(`state holds a ${typeof value}`);
}

class Reader {
  at = 4;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly keys: string[] = [];
  readonly decoder = new TextDecoder();

  constructor(bytes: Uint8Array) {
    // A Buffer's slice would share memory; a plain Uint8Array's copies.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  /** A length or count, checked against what is left, so that damaged bytes cannot ask for gigabytes. */
  size(): number {
    const size = this.uint();
    if (size > this.bytes.length - this.at) throw new RangeError('length beyond the end');
    return size;
  }

  raw(): Uint8Array {
    const length = this.size();
    const bytes = this.bytes.slice(this.at, this.at + length);
    this.at += length;
    return bytes;
  }

  key(): string {
    const known = this.uint();
    if (known > 0) {
      const key = this.keys[known - 1];
      if (key === undefined) throw new RangeError('unknown key');
      return key;
    }
    const key = this.decoder.decode(this.raw());
    this.keys.push(key);
    return key;
  }
}

function readContainer(reader: Reader, tag: number): unknown {
  const size = reader.size();
  if (tag === TAG_ARRAY) {
    const items: unknown[] = [];
    for (let i = 0; i < size; i++) items.push(read(reader));
    return items;
  }
  if (tag === TAG_OBJECT) {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < size; i++) {
      const key = reader.key();
      object[key] = read(reader);
    }
    return object;
  }
  if (tag === TAG_SET) {
    const set = new Set<unknown>();
    for (let i = 0; i < size; i++) set.add(read(reader));
    return set;
  }
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < size; i++) {
    const key = read(reader);
    map.set(key, read(reader));
  }
  return map;
}

function read(reader: Reader): unknown {
  const tag = reader.view.getUint8(reader.at++);
  if (tag === TAG_NULL) return null;
  if (tag === TAG_UNDEFINED) return undefined;
  if (tag === TAG_FALSE) return false;
  if (tag === TAG_TRUE) return true;
  if (tag === TAG_NUMBER) {
    reader.at += 8;
    return reader.view.getFloat64(reader.at - 8, true);
  }
  if (tag === TAG_INTEGER) {
    reader.at += 4;
    return reader.view.getInt32(reader.at - 4, true);
  }
  if (tag === TAG_STRING) return reader.decoder.decode(reader.raw());
  if (tag >= TAG_ARRAY && tag <= TAG_SET) return readContainer(reader, tag);
  const type = TYPED[tag - TAG_TYPED];
  if (!type) throw new RangeError(`unknown tag ${tag}`);
  return new type(reader.raw().buffer as ArrayBuffer);
}

export function encodeState(value: unknown): Uint8Array {
  const writer = new Writer();
  const at = writer.reserve(4);
  writer.view.setUint32(at, MAGIC, true);
  write(writer, value);
  return writer.bytes.slice(0, writer.length);
}

/** Throws `corrupt_data` when the bytes were not written by `encodeState`. */
export function decodeState(bytes: Uint8Array): unknown {
  try {
    const reader = new Reader(bytes);
    if (reader.view.getUint32(0, true) !== MAGIC) throw new RangeError('unknown format');
    const value = read(reader);
    if (reader.at !== bytes.length) throw new RangeError('bytes after the end');
    return value;
  } catch (error) {
    throw new HeliosError('corrupt_data', `cannot restore the detector's state: ${(error as Error).message}`, { cause: error });
  }
}
