import { MAX_METADATA_BYTES, MAX_SERVICE_BYTES } from '../../model/event.ts';
import { ByteWriter } from '../byte-writer.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';
import { AnyValueWriter, STRING_VALUE } from './any-value.ts';
import { ATTRIBUTE_DEPTH, RENAMED_ATTRIBUTE } from './attribute.ts';
import type { AttributeReader } from './attribute.ts';
import { ROLE } from './metadata-key.ts';
import type { MetadataKey, MetadataKeys } from './metadata-key.ts';

const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SERVICE = Buffer.from(',"service":');
const LEVEL = Buffer.from(',"level":');
const NO_BYTES: Uint8Array = Buffer.alloc(0);
const UNKNOWN_SERVICE = 'unknown_service';
/** Attributes of a resource whose name a record uses itself stand behind this beside it. */
const BESIDE_RECORD = 'resource.';

/** Tags of Resource (opentelemetry/proto/resource/v1/resource.proto) and InstrumentationScope (common.proto). */
const RESOURCE = { attributes: 10, droppedAttributesCount: 16 } as const;
const SCOPE = { name: 10, version: 18, attributes: 26, droppedAttributesCount: 32 } as const;

/** The members that every record of a resource and scope has in common, rendered once. */
export class ResourceHead {
  /** Number of the resource and scope now in the head; keys that it uses carry it. */
  resource = 0;
  /** Keys of its members. */
  readonly keys: MetadataKey[] = [];
  readonly #values: number[] = [];
  readonly #reader: ProtobufReader;
  readonly #attributes: AttributeReader;
  readonly #known: MetadataKeys;
  readonly #members = new ByteWriter();
  readonly #memberValues: AnyValueWriter;
  readonly #service = new ByteWriter();
  readonly #scopeKeys: Record<keyof typeof SCOPE, MetadataKey>;
  readonly #dropped: MetadataKey;
  #hasService = false;
  #serviceBytes = NO_BYTES;
  #memberBytes = NO_BYTES;
  #resourceKeys = 0;
  #resourceBytes = 0;

  constructor(reader: ProtobufReader, keys: MetadataKeys, attributes: AttributeReader) {
    this.#reader = reader;
    this.#known = keys;
    this.#attributes = attributes;
    this.#memberValues = new AnyValueWriter(reader, this.#members);
    this.#memberValues.limit = MAX_METADATA_BYTES + 1;
    this.#dropped = keys.fixed('resource.dropped_attributes_count', ROLE.reserved);
    this.#scopeKeys = {
      name: keys.fixed('otel.scope.name', ROLE.reserved),
      version: keys.fixed('otel.scope.version', ROLE.reserved),
      attributes: keys.fixed('otel.scope.attributes', ROLE.reserved),
      droppedAttributesCount: keys.fixed('otel.scope.dropped_attributes_count', ROLE.reserved),
    };
  }

  beginResource(): void {
    this.resource++;
    this.keys.length = 0;
    this.#values.length = 0;
    this.#members.reset();
    this.#service.reset();
    this.#hasService = false;
  }

  /** Takes the Resource up to the reader's limit; a second one is merged, as protobuf has it. */
  readResource(): void {
    const reader = this.#reader;
    const { limit } = reader;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === RESOURCE.attributes) {
        const end = reader.range();
        this.#attribute(reader.position, end);
        reader.position = end;
        reader.limit = limit;
      } else if (tag === RESOURCE.droppedAttributesCount) this.#count(this.#dropped, reader.int32() >>> 0);
      else reader.skip(tag);
    }
  }

  endResource(): void {
    if (!this.#hasService) this.#openService().text(UNKNOWN_SERVICE);
    this.#service.raw(LEVEL);
    this.#serviceBytes = this.#service.view();
    this.#resourceKeys = this.keys.length;
    this.#resourceBytes = this.#members.length;
  }

  beginScope(): void {
    this.resource++;
    this.keys.length = this.#values.length = this.#resourceKeys;
    this.#members.length = this.#resourceBytes;
    for (const key of this.keys) key.resource = this.resource;
  }

  /** Takes the InstrumentationScope up to the reader's limit. */
  readScope(): void {
    const reader = this.#reader;
    const start = reader.position;
    let attributes = 0;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === SCOPE.name || tag === SCOPE.version) {
        const end = reader.range();
        if (end > reader.position) this.#text(tag === SCOPE.name ? this.#scopeKeys.name : this.#scopeKeys.version, end);
        reader.position = end;
      } else if (tag === SCOPE.droppedAttributesCount) this.#count(this.#scopeKeys.droppedAttributesCount, reader.int32() >>> 0);
      else {
        if (tag === SCOPE.attributes) attributes++;
        reader.skip(tag);
      }
    }
    if (attributes > 0) this.#scopeAttributes(start);
  }

  endScope(): void {
    this.#memberBytes = this.#members.view();
  }

  /** `,"service":…,"level":` */
  writeService(out: ByteWriter): void {
    out.raw(this.#serviceBytes);
  }

  /** The members, with a comma after each. */
  writeMembers(out: ByteWriter): void {
    out.raw(this.#memberBytes);
  }

  /**
   * The same for record number `record`, which uses the keys that clash itself. It was written once before, as the number
   * before this, so that all the names that it takes are known.
   */
  writeMembersBeside(out: ByteWriter, record: number): void {
    for (const [i, key] of this.keys.entries()) {
      let name = key;
      while (name === key ? key.clashes : this.#isTaken(name, record)) name = this.#known.of(BESIDE_RECORD + name.text);
      name.record = record;
      out.raw(name.json);
      const next = this.keys[i + 1];
      const end = next ? (this.#values[i + 1] as number) - next.json.length : this.#members.length;
      out.copy(this.#members.bytes, this.#values[i] as number, end);
    }
  }

  #isTaken(name: MetadataKey, record: number): boolean {
    return name.record >= record - 1 || name.resource === this.resource;
  }

  #attribute(start: number, end: number): void {
    // Nothing of such a resource is accepted; reading on would remember every key.
    if (this.#members.length >= this.#memberValues.limit) return;
    const attributes = this.#attributes;
    const key = attributes.read(start, end);
    if (key.role === ROLE.serviceName && this.#takeService()) return;
    this.#key(attributes.fitsResource(key) ? key : this.#known.of(RENAMED_ATTRIBUTE + key.text));
    this.#memberValues.write(attributes.valueTag, ATTRIBUTE_DEPTH);
    this.#members.byte(COMMA);
  }

  #takeService(): boolean {
    const reader = this.#reader;
    if (this.#hasService || this.#attributes.valueTag !== STRING_VALUE) return false;
    const { position } = reader;
    const end = reader.range();
    if (end === reader.position) {
      reader.position = position;
      return false;
    }
    // A longer one than an event may have is cut just past that: it will be rejected.
    this.#openService().string(reader.bytes, reader.position, Math.min(end, reader.position + MAX_SERVICE_BYTES + 1));
    this.#hasService = true;
    return true;
  }

  #openService(): ByteWriter {
    this.#service.raw(SERVICE);
    return this.#service;
  }

  #key(wanted: MetadataKey): void {
    let key = wanted;
    while (key.resource === this.resource) key = this.#known.of(RENAMED_ATTRIBUTE + key.text);
    key.resource = this.resource;
    this.#members.raw(key.json);
    this.keys.push(key);
    this.#values.push(this.#members.length);
  }

  #text(key: MetadataKey, end: number): void {
    this.#key(key);
    const { bytes, position } = this.#reader;
    this.#members.string(bytes, position, Math.min(end, position + MAX_METADATA_BYTES));
    this.#members.byte(COMMA);
  }

  #count(key: MetadataKey, count: number): void {
    if (count === 0) return;
    this.#key(key);
    this.#members.integer(count);
    this.#members.byte(COMMA);
  }

  #scopeAttributes(start: number): void {
    const reader = this.#reader;
    const { limit } = reader;
    reader.position = start;
    this.#key(this.#scopeKeys.attributes);
    this.#members.byte(OPEN_BRACE);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag !== SCOPE.attributes) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter();
      const end = reader.limit;
      if (this.#members.length < this.#memberValues.limit) this.#memberValues.member(ATTRIBUTE_DEPTH - 1);
      reader.position = end;
      reader.limit = outer;
    }
    this.#members.close(CLOSE_BRACE);
    this.#members.byte(COMMA);
    reader.position = reader.limit = limit;
  }
}
