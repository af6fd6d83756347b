import type { ByteWriter } from '../byte-writer.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';

/** Tags of AnyValue's fields (opentelemetry/proto/common/v1/common.proto). NO_VALUE: none is set. */
export const NO_VALUE = 0;
export const STRING_VALUE = 10;
const BOOL_VALUE = 16;
export const INT_VALUE = 24;
export const DOUBLE_VALUE = 33;
const ARRAY_VALUE = 42;
const KVLIST_VALUE = 50;
export const BYTES_VALUE = 58;

/** Of ArrayValue and KeyValueList, and of KeyValue. */
const VALUES = 10;
const KEY = 10;
const VALUE = 18;

/** Stands for an array or object that nests deeper than an event may. */
export const TOO_DEEP = '(nested too deeply)';

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');
const MARKER = Buffer.from(`"${TOO_DEEP}"`);
const COMMA = 0x2c;
const COLON = 0x3a;

function isValueTag(tag: number): boolean {
  return (
    tag === STRING_VALUE ||
    tag === INT_VALUE ||
    tag === DOUBLE_VALUE ||
    tag === BOOL_VALUE ||
    tag === ARRAY_VALUE ||
    tag === KVLIST_VALUE ||
    tag === BYTES_VALUE
  );
}

/**
 * Reads the AnyValue up to the reader's limit: returns the tag of the value that it holds, the last one when there are
 * several, with the reader behind that tag; or NO_VALUE.
 */
export function findValue(reader: ProtobufReader): number {
  const { bytes, position, limit } = reader;
  const textBytes = limit - position - 2;
  if (bytes[position] === STRING_VALUE && bytes[position + 1] === textBytes && textBytes < 128) {
    reader.position = position + 1;
    return STRING_VALUE;
  }
  let found = NO_VALUE;
  let at = position;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (isValueTag(tag)) {
      found = tag;
      at = reader.position;
    }
    reader.skip(tag);
  }
  reader.position = at;
  return found;
}

/** Writes AnyValues as JSON. */
export class AnyValueWriter {
  readonly #reader: ProtobufReader;
  readonly #out: ByteWriter;
  /** Length of `out` from which on no more elements are added: what is longer is rejected as a whole. */
  limit = Infinity;

  constructor(reader: ProtobufReader, out: ByteWriter) {
    this.#reader = reader;
    this.#out = out;
  }

  /** The value that `findValue` found; arrays and objects may nest `depth` deep. */
  write(tag: number, depth: number): void {
    const reader = this.#reader;
    const out = this.#out;
    switch (tag) {
      case STRING_VALUE: {
        const end = reader.range();
        out.string(reader.bytes, reader.position, this.#capped(reader.position, end));
        break;
      }
      case BYTES_VALUE: {
        const end = reader.range();
        out.base64(reader.bytes, reader.position, this.#capped(reader.position, end));
        break;
      }
      case INT_VALUE:
        reader.varint();
        out.signed64(reader.low, reader.high);
        break;
      case DOUBLE_VALUE:
        out.double(reader.double());
        break;
      case BOOL_VALUE:
        out.raw(reader.varint() === 0 ? FALSE : TRUE);
        break;
      case NO_VALUE:
        out.raw(NULL);
        break;
      default:
        if (depth === 0) out.raw(MARKER);
        else this.#container(tag === ARRAY_VALUE, depth);
    }
  }

  /** The KeyValue up to the reader's limit as a member of an object, with a comma after it. */
  member(depth: number): void {
    const reader = this.#reader;
    const out = this.#out;
    let keyStart = 0;
    let keyEnd = 0;
    let value = -1;
    let valueEnd = -1;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== KEY && tag !== VALUE) {
        reader.skip(tag);
        continue;
      }
      const end = reader.range();
      if (tag === KEY) {
        keyStart = reader.position;
        keyEnd = end;
      } else {
        value = reader.position;
        valueEnd = end;
      }
      reader.position = end;
    }
    out.string(reader.bytes, keyStart, this.#capped(keyStart, keyEnd));
    out.byte(COLON);
    if (value < 0) out.raw(NULL);
    else {
      reader.position = value;
      reader.limit = valueEnd;
      this.write(findValue(reader), depth);
    }
    out.byte(COMMA);
  }

  #container(isArray: boolean, depth: number): void {
    const reader = this.#reader;
    const out = this.#out;
    const outer = reader.enter();
    const end = reader.limit;
    out.byte(isArray ? 0x5b : 0x7b);
    for (let tag = reader.tag(); tag !== 0 && out.length < this.limit; tag = reader.tag()) {
      if (tag !== VALUES) {
        reader.skip(tag);
        continue;
      }
      reader.enter();
      const next = reader.limit;
      if (isArray) {
        this.write(findValue(reader), depth - 1);
        out.byte(COMMA);
      } else this.member(depth - 1);
      reader.position = next;
      reader.limit = end;
    }
    out.close(isArray ? 0x5d : 0x7d);
    reader.position = end;
    reader.limit = outer;
  }

  #capped(start: number, end: number): number {
    return Math.min(end, start + Math.max(0, this.limit - this.#out.length));
  }
}
