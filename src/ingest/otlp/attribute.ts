import { MAX_LATENCY_MS, MAX_METADATA_BYTES, MAX_METADATA_DEPTH } from '../../model/event.ts';
import { MAX_ID_BYTES } from '../../model/event-rules.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';
import { DOUBLE_VALUE, findValue, INT_VALUE, NO_VALUE, STRING_VALUE } from './any-value.ts';
import { ROLE } from './metadata-key.ts';
import type { MetadataKey, MetadataKeys } from './metadata-key.ts';

/** Tags of KeyValue. */
const KEY = 10;
const VALUE = 18;

/** Levels that arrays and objects may nest inside an attribute: all that an event may, less `metadata` itself. */
export const ATTRIBUTE_DEPTH = MAX_METADATA_DEPTH - 1;
/** An attribute whose own name would make it something that it is not, or is taken, stands behind this, as often as it takes. */
export const RENAMED_ATTRIBUTE = 'attributes.';

/** Reads attributes: their keys, and where their values stand. */
export class AttributeReader {
  readonly #reader: ProtobufReader;
  readonly #keys: MetadataKeys;
  /** Tag of the value of the attribute read last; the reader stands at it. */
  valueTag: number = NO_VALUE;

  constructor(reader: ProtobufReader, keys: MetadataKeys) {
    this.#reader = reader;
    this.#keys = keys;
  }

  /** Reads the KeyValue between two indexes: returns its key, and leaves the reader at its value. */
  read(start: number, end: number): MetadataKey {
    const reader = this.#reader;
    const { bytes } = reader;
    const keyBytes = bytes[start + 1] as number;
    const value = start + 2 + keyBytes;
    const valueBytes = end - value - 2;
    // As nearly all are: a key, then a value to the end, both shorter than 128 bytes, so that their lengths take one.
    const isUsual = bytes[start] === KEY && keyBytes < 128 && bytes[value] === VALUE && bytes[value + 1] === valueBytes;
    if (!isUsual || valueBytes >= 128) return this.#readFields(start, end);
    reader.position = value + 2;
    reader.limit = end;
    this.valueTag = findValue(reader);
    return this.#keys.find(bytes, start + 2, value);
  }

  #readFields(start: number, end: number): MetadataKey {
    const reader = this.#reader;
    reader.position = start;
    reader.limit = end;
    let keyStart = start;
    let keyEnd = start;
    let value = -1;
    let valueEnd = -1;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== KEY && tag !== VALUE) {
        reader.skip(tag);
        continue;
      }
      const fieldEnd = reader.range();
      if (tag === KEY) {
        keyStart = reader.position;
        keyEnd = fieldEnd;
      } else {
        value = reader.position;
        valueEnd = fieldEnd;
      }
      reader.position = fieldEnd;
    }
    this.valueTag = NO_VALUE;
    if (value >= 0) {
      reader.position = value;
      reader.limit = valueEnd;
      this.valueTag = findValue(reader);
    }
    return this.#keys.find(reader.bytes, keyStart, Math.min(keyEnd, keyStart + MAX_METADATA_BYTES));
  }

  /** Whether an attribute of a record, with the value read last, may stand under its own name. */
  fitsRecord(key: MetadataKey): boolean {
    switch (key.role) {
      case ROLE.reserved:
      case ROLE.shortIdentity:
        return false;
      case ROLE.endpoint:
        return this.valueTag === STRING_VALUE;
      case ROLE.latency:
        return this.#isLatency();
      case ROLE.identity:
        return this.#isShort();
      default:
        return true;
    }
  }

  /** The same for an attribute of a resource. */
  fitsResource(key: MetadataKey): boolean {
    switch (key.role) {
      case ROLE.reserved:
      case ROLE.endpoint:
      case ROLE.latency:
        return false;
      case ROLE.identity:
      case ROLE.shortIdentity:
        return this.#isShort();
      default:
        return true;
    }
  }

  #isShort(): boolean {
    const reader = this.#reader;
    if (this.valueTag !== STRING_VALUE) return true;
    const { position } = reader;
    const end = reader.range();
    const length = end - reader.position;
    reader.position = position;
    return length <= MAX_ID_BYTES;
  }

  #isLatency(): boolean {
    const reader = this.#reader;
    if (this.valueTag !== INT_VALUE && this.valueTag !== DOUBLE_VALUE) return false;
    const { position } = reader;
    // A negative int64 is a huge unsigned number, and no latency either way.
    const value = this.valueTag === DOUBLE_VALUE ? reader.double() : reader.varint();
    reader.position = position;
    return value >= 0 && value <= MAX_LATENCY_MS;
  }
}
