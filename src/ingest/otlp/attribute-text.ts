import { MAX_METADATA_DEPTH } from '../../model/event.ts';
import { ByteWriter } from '../byte-writer.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';
import { AnyValueWriter, findValue, NO_VALUE, STRING_VALUE } from './any-value.ts';

const QUOTE = 0x22;

/**
 * Text of an attribute: a string as it is, no value as "", anything else as JSON without quotes around it (OpenTelemetry
 * specification, "AnyValue representation for non-OTLP protocols"). It lies in `source` between `start` and `end`.
 */
export class AttributeText {
  source: Uint8Array;
  start = 0;
  end = 0;
  readonly #reader: ProtobufReader;
  readonly #json = new ByteWriter();
  readonly #values: AnyValueWriter;

  /** Texts longer than `limitBytes` may be cut, but not to that length. */
  constructor(reader: ProtobufReader, limitBytes: number) {
    this.source = reader.bytes;
    this.#reader = reader;
    this.#values = new AnyValueWriter(reader, this.#json);
    this.#values.limit = limitBytes + 2;
  }

  /** Reads the AnyValue up to the reader's limit. */
  read(): void {
    const reader = this.#reader;
    const tag = findValue(reader);
    if (tag === STRING_VALUE) {
      this.end = reader.range();
      this.source = reader.bytes;
      this.start = reader.position;
      return;
    }
    const json = this.#json;
    json.length = 0;
    if (tag !== NO_VALUE) this.#values.write(tag, MAX_METADATA_DEPTH);
    const isQuoted = json.length > 0 && json.bytes[0] === QUOTE;
    this.source = json.bytes;
    this.start = isQuoted ? 1 : 0;
    this.end = isQuoted ? json.length - 1 : json.length;
  }

  clear(): void {
    this.start = 0;
    this.end = 0;
  }

  /** Lets go of the request that was read. */
  release(): void {
    this.#json.reset();
    this.source = this.#json.bytes;
    this.clear();
  }

  /** The text, cut when it is over the limit by a few bytes. */
  toString(): string {
    return Buffer.from(this.source.subarray(this.start, Math.min(this.end, this.start + this.#values.limit + 2))).toString();
  }
}
