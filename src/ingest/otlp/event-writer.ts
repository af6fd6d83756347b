import { MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, MAX_METADATA_DEPTH } from '../../model/event.ts';
import { MAX_ID_BYTES } from '../../model/event-rules.ts';
import { ByteWriter } from '../byte-writer.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { AnyValueWriter, BYTES_VALUE, findValue, NO_VALUE, STRING_VALUE } from './any-value.ts';
import { ATTRIBUTE_DEPTH, AttributeReader, RENAMED_ATTRIBUTE } from './attribute.ts';
import { MetadataKeys } from './metadata-key.ts';
import type { MetadataKey } from './metadata-key.ts';
import type { RangeList } from './range-list.ts';
import { ResourceHead } from './resource-head.ts';

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const TIMESTAMP = Buffer.from('{"timestamp":');
const METADATA = Buffer.from(',"metadata":');
/** Stands for metadata that is over its limit, so that the event rules say so; what it held need not be kept any longer. */
const OVERLONG_METADATA = Buffer.from(`{"":"${'x'.repeat(MAX_METADATA_BYTES)}"}`);

/** A record of one kind: its fields are read, then written with an EventWriter as one event. */
export interface EventRecord {
  /** Takes the fields up to the reader's limit. */
  read(): void;
  /** May be called twice. */
  write(): void;
}

/**
 * Writes events as NDJSON from what a record's fields say, in this order: `begin`, `level`, a message, `metadata`, any of
 * the members, `ids`. What comes of the resource and scope stands in `head` and is copied. Every name in `metadata` occurs
 * once: whoever is later gets another.
 */
export class EventWriter {
  readonly reader = new ProtobufReader();
  readonly out = new ByteWriter();
  readonly keys: MetadataKeys;
  readonly values: AnyValueWriter;
  readonly attributes: AttributeReader;
  readonly head: ResourceHead;
  readonly #scratch = new ByteWriter();
  readonly #scratchValues: AnyValueWriter;
  #record = 0;
  #metadataStart = 0;
  #clashes: MetadataKey[] = [];

  constructor(roles: Readonly<Record<string, number>>) {
    this.keys = new MetadataKeys(roles);
    this.values = new AnyValueWriter(this.reader, this.out);
    this.#scratchValues = new AnyValueWriter(this.reader, this.#scratch);
    this.attributes = new AttributeReader(this.reader, this.keys);
    this.head = new ResourceHead(this.reader, this.keys, this.attributes);
  }

  /** Starts over with another request, whose message has this name; `memory` accounts for what is written. */
  reset(body: Uint8Array, message: string, memory?: MemoryAccount): void {
    this.reader.begin(body, message);
    this.out.reset(memory);
    this.keys.trim([]);
    this.#forgetClashes();
  }

  /** Writes one event; when its attributes and the resource's share a name, it is written once more beside those. */
  event(record: EventRecord): void {
    const start = this.out.length;
    this.keys.trim(this.head.keys);
    this.#record++;
    record.write();
    if (this.#clashes.length === 0) return;
    this.out.length = start;
    this.#record++;
    record.write();
    this.#forgetClashes();
  }

  #forgetClashes(): void {
    for (const key of this.#clashes) key.clashes = false;
    this.#clashes.length = 0;
  }

  /** Time from halves of nanoseconds, service and the start of the level. */
  begin(low: number, high: number): void {
    this.out.raw(TIMESTAMP);
    this.out.timestamp(low, high);
    this.head.writeService(this.out);
  }

  /** The message as text. A longer one than an event may have is cut just past that: it will be rejected. */
  message(start: number, end: number): void {
    this.out.string(this.reader.bytes, start, Math.min(end, start + MAX_MESSAGE_BYTES + 1));
  }

  /** An AnyValue as message: text as it is, bytes as base64, anything else as JSON. False, and nothing written, when it is none. */
  messageValue(start: number, end: number): boolean {
    const { reader } = this;
    reader.position = start;
    reader.limit = end;
    const tag = findValue(reader);
    if (tag === STRING_VALUE) {
      const textEnd = reader.range();
      this.message(reader.position, textEnd);
      return true;
    }
    if (tag === NO_VALUE) return false;
    const scratch = this.#scratch;
    scratch.reset();
    this.#scratchValues.limit = MAX_MESSAGE_BYTES + 1;
    this.#scratchValues.write(tag, MAX_METADATA_DEPTH);
    const quotes = tag === BYTES_VALUE ? 1 : 0;
    this.out.string(scratch.bytes, quotes, scratch.length - quotes);
    return true;
  }

  /** Opens the metadata with what the resource and scope hold. */
  metadata(): void {
    const { out } = this;
    out.raw(METADATA);
    this.#metadataStart = out.length;
    this.values.limit = out.length + MAX_METADATA_BYTES + 1;
    out.byte(OPEN_BRACE);
    if (this.#clashes.length === 0) this.head.writeMembers(out);
    else this.head.writeMembersBeside(out, this.#record);
  }

  endMetadata(): void {
    const { out } = this;
    out.close(CLOSE_BRACE);
    if (out.length - this.#metadataStart <= MAX_METADATA_BYTES) return;
    out.length = this.#metadataStart;
    out.raw(OVERLONG_METADATA);
  }

  /** An identifier at the top level; one that is empty or all zeros is none. A longer one than an event may have is cut just past that. */
  id(name: Uint8Array, start: number, end: number): void {
    if (!this.isId(start, end)) return;
    this.out.raw(name);
    this.out.hex(this.reader.bytes, start, Math.min(end, start + MAX_ID_BYTES / 2 + 1));
  }

  isId(start: number, end: number): boolean {
    const { bytes } = this.reader;
    for (let p = start; p < end; p++) if (bytes[p] !== 0) return true;
    return false;
  }

  end(): void {
    this.out.byte(CLOSE_BRACE);
    this.out.byte(NEWLINE);
  }

  /** The key of a member of metadata that no other member has, this one or a longer one; writes it. */
  key(wanted: MetadataKey): void {
    let key = wanted;
    while (key.record === this.#record) key = this.keys.of(RENAMED_ATTRIBUTE + key.text);
    key.record = this.#record;
    if (key.resource === this.head.resource && !key.clashes) {
      key.clashes = true;
      this.#clashes.push(key);
    }
    this.out.raw(key.json);
  }

  /** A member with text; left out when empty. */
  textMember(key: MetadataKey, start: number, end: number): void {
    if (end === start) return;
    this.key(key);
    this.cappedText(start, end);
    this.out.byte(COMMA);
  }

  /** Text somewhere in the metadata; a longer one than all metadata may be is cut, because it will be rejected. */
  cappedText(start: number, end: number): void {
    this.out.string(this.reader.bytes, start, Math.min(end, start + MAX_METADATA_BYTES));
  }

  /** A member with a count; left out when zero. */
  countMember(key: MetadataKey, value: number): void {
    if (value === 0) return;
    this.key(key);
    this.out.integer(value);
    this.out.byte(COMMA);
  }

  /** A member with a ready value. */
  rawMember(key: MetadataKey, json: Uint8Array): void {
    this.key(key);
    this.out.raw(json);
    this.out.byte(COMMA);
  }

  /** The attributes that stand in these ranges; no more once the metadata is over its limit. */
  attributeMembers(ranges: RangeList): void {
    for (let i = 0; i < ranges.count && this.out.length < this.values.limit; i++) {
      this.attributeMember(this.attributes.read(ranges.start(i), ranges.end(i)));
    }
  }

  /** Writes the attribute that `attributes` has read. */
  attributeMember(key: MetadataKey): void {
    this.key(this.attributes.fitsRecord(key) ? key : this.keys.of(RENAMED_ATTRIBUTE + key.text));
    this.values.write(this.attributes.valueTag, ATTRIBUTE_DEPTH);
    this.out.byte(COMMA);
  }
}
