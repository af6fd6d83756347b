import { ATTRIBUTE_DEPTH } from './attribute.ts';
import type { EventWriter } from './event-writer.ts';
import { RangeList } from './range-list.ts';

/** Tags of Span.Event and Span.Link (opentelemetry/proto/trace/v1/trace.proto). */
const EVENT = { time: 9, name: 18, attributes: 26, droppedAttributesCount: 32 } as const;
const LINK = { traceId: 10, spanId: 18, traceState: 26, attributes: 34, droppedAttributesCount: 40, flags: 53 } as const;

const NAME = Buffer.from('"name":');
const TIME = Buffer.from('"time":');
const TRACE_ID = Buffer.from('"trace_id":');
const SPAN_ID = Buffer.from('"span_id":');
const TRACE_STATE = Buffer.from('"trace_state":');
const ATTRIBUTES = Buffer.from('"attributes":{');
const DROPPED = Buffer.from('"dropped_attributes_count":');
const FLAGS = Buffer.from('"flags":');
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Attributes stand in `metadata.events[n].attributes`, two levels deeper than others. */
const DEPTH = ATTRIBUTE_DEPTH - 3;

/** Writes the events and links of a span as arrays of objects; no more elements once the metadata is over its limit. */
export class SpanDetails {
  readonly #writer: EventWriter;
  readonly #attributes = new RangeList();

  constructor(writer: EventWriter) {
    this.#writer = writer;
  }

  /** `[{"time":…,"name":…,"attributes":{…}}]` */
  events(ranges: RangeList): void {
    this.#array(ranges, () => this.#event());
  }

  /** `[{"trace_id":…,"span_id":…,"attributes":{…}}]` */
  links(ranges: RangeList): void {
    this.#array(ranges, () => this.#link());
  }

  #array(ranges: RangeList, write: () => void): void {
    const { out, reader, values } = this.#writer;
    out.byte(OPEN_BRACKET);
    for (let i = 0; i < ranges.count && out.length < values.limit; i++) {
      reader.position = ranges.start(i);
      reader.limit = ranges.end(i);
      this.#attributes.clear();
      out.byte(OPEN_BRACE);
      write();
      this.#writeAttributes();
      out.close(CLOSE_BRACE);
      out.byte(COMMA);
    }
    out.close(CLOSE_BRACKET);
    out.byte(COMMA);
  }

  #event(): void {
    const { reader, out } = this.#writer;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === EVENT.time) {
        reader.fixed64();
        if ((reader.low | reader.high) === 0) continue;
        out.raw(TIME);
        out.timestamp(reader.low, reader.high);
        out.byte(COMMA);
      } else if (tag === EVENT.name) this.#text(NAME);
      else if (tag === EVENT.attributes) this.#attribute();
      else if (tag === EVENT.droppedAttributesCount) this.#count(DROPPED, reader.int32() >>> 0);
      else reader.skip(tag);
    }
  }

  #link(): void {
    const { reader } = this.#writer;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === LINK.traceId) this.#id(TRACE_ID);
      else if (tag === LINK.spanId) this.#id(SPAN_ID);
      else if (tag === LINK.traceState) this.#text(TRACE_STATE);
      else if (tag === LINK.attributes) this.#attribute();
      else if (tag === LINK.droppedAttributesCount) this.#count(DROPPED, reader.int32() >>> 0);
      else if (tag === LINK.flags) this.#count(FLAGS, reader.fixed32());
      else reader.skip(tag);
    }
  }

  #attribute(): void {
    const { reader } = this.#writer;
    const end = reader.range();
    this.#attributes.add(reader.position, end);
    reader.position = end;
  }

  #text(name: Uint8Array): void {
    const { reader, out } = this.#writer;
    const end = reader.range();
    if (end > reader.position) {
      out.raw(name);
      this.#writer.cappedText(reader.position, end);
      out.byte(COMMA);
    }
    reader.position = end;
  }

  #id(name: Uint8Array): void {
    const { reader, out } = this.#writer;
    const end = reader.range();
    if (this.#writer.isId(reader.position, end)) {
      this.#writer.id(name, reader.position, end);
      out.byte(COMMA);
    }
    reader.position = end;
  }

  #count(name: Uint8Array, count: number): void {
    const { out } = this.#writer;
    if (count === 0) return;
    out.raw(name);
    out.integer(count);
    out.byte(COMMA);
  }

  #writeAttributes(): void {
    const { reader, out, values } = this.#writer;
    const attributes = this.#attributes;
    if (attributes.count === 0) return;
    out.raw(ATTRIBUTES);
    for (let i = 0; i < attributes.count && out.length < values.limit; i++) {
      reader.position = attributes.start(i);
      reader.limit = attributes.end(i);
      values.member(DEPTH);
    }
    out.close(CLOSE_BRACE);
  }
}
