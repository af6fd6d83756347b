import { nanosOf } from './nanos.ts';
import type { ProtobufReader } from '../protobuf-reader.ts';
import { RangeList } from './range-list.ts';

/** Tags of Span and Status (opentelemetry/proto/trace/v1/trace.proto). */
const FIELD = {
  traceId: 10,
  spanId: 18,
  traceState: 26,
  parentSpanId: 34,
  name: 42,
  kind: 48,
  startTime: 57,
  endTime: 65,
  attributes: 74,
  droppedAttributesCount: 80,
  events: 90,
  droppedEventsCount: 96,
  links: 106,
  droppedLinksCount: 112,
  status: 122,
  flags: 133,
} as const;
const STATUS = { message: 18, code: 24 } as const;

/** The fields of one span: numbers, and where in the request the rest stands. Times are halves of nanoseconds. */
export class SpanFields {
  readonly #reader: ProtobufReader;
  readonly attributes = new RangeList();
  readonly events = new RangeList();
  readonly links = new RangeList();
  startLow = 0;
  startHigh = 0;
  endLow = 0;
  endHigh = 0;
  traceStart = 0;
  traceEnd = 0;
  spanStart = 0;
  spanEnd = 0;
  parentStart = 0;
  parentEnd = 0;
  stateStart = 0;
  stateEnd = 0;
  nameStart = 0;
  nameEnd = 0;
  statusStart = 0;
  statusEnd = 0;
  status = 0;
  kind = 0;
  flags = 0;
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;
  #arrivalLow = 0;
  #arrivalHigh = 0;

  constructor(reader: ProtobufReader) {
    this.#reader = reader;
  }

  /** Milliseconds since the epoch. */
  arriveAt(ms: number): void {
    ({ low: this.#arrivalLow, high: this.#arrivalHigh } = nanosOf(ms));
  }

  /** The end, or else the start, or else the arrival. */
  get timeLow(): number {
    if ((this.endLow | this.endHigh) !== 0) return this.endLow;
    return (this.startLow | this.startHigh) === 0 ? this.#arrivalLow : this.startLow;
  }

  get timeHigh(): number {
    if ((this.endLow | this.endHigh) !== 0) return this.endHigh;
    return (this.startLow | this.startHigh) === 0 ? this.#arrivalHigh : this.startHigh;
  }

  /** Takes the Span up to the reader's limit. */
  read(): void {
    const reader = this.#reader;
    this.#clear();
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if ((tag & 7) === 2) this.#range(tag);
      else this.#number(tag);
    }
  }

  #clear(): void {
    this.attributes.clear();
    this.events.clear();
    this.links.clear();
    this.startLow = this.startHigh = this.endLow = this.endHigh = 0;
    this.traceStart = this.traceEnd = this.spanStart = this.spanEnd = this.parentStart = this.parentEnd = 0;
    this.stateStart = this.stateEnd = this.nameStart = this.nameEnd = this.statusStart = this.statusEnd = 0;
    this.status = this.kind = this.flags = this.droppedAttributes = this.droppedEvents = this.droppedLinks = 0;
  }

  #number(tag: number): void {
    const reader = this.#reader;
    switch (tag) {
      case FIELD.startTime:
        reader.fixed64();
        this.startLow = reader.low;
        this.startHigh = reader.high;
        break;
      case FIELD.endTime:
        reader.fixed64();
        this.endLow = reader.low;
        this.endHigh = reader.high;
        break;
      case FIELD.kind:
        this.kind = reader.int32();
        break;
      case FIELD.flags:
        this.flags = reader.fixed32();
        break;
      case FIELD.droppedAttributesCount:
        this.droppedAttributes = reader.int32() >>> 0;
        break;
      case FIELD.droppedEventsCount:
        this.droppedEvents = reader.int32() >>> 0;
        break;
      case FIELD.droppedLinksCount:
        this.droppedLinks = reader.int32() >>> 0;
        break;
      default:
        reader.skip(tag);
    }
  }

  #range(tag: number): void {
    const reader = this.#reader;
    if (tag === FIELD.status) {
      this.#status();
      return;
    }
    const end = reader.range();
    const start = reader.position;
    reader.position = end;
    switch (tag) {
      case FIELD.attributes:
        this.attributes.add(start, end);
        break;
      case FIELD.events:
        this.events.add(start, end);
        break;
      case FIELD.links:
        this.links.add(start, end);
        break;
      case FIELD.traceId:
        this.traceStart = start;
        this.traceEnd = end;
        break;
      case FIELD.spanId:
        this.spanStart = start;
        this.spanEnd = end;
        break;
      case FIELD.parentSpanId:
        this.parentStart = start;
        this.parentEnd = end;
        break;
      case FIELD.traceState:
        this.stateStart = start;
        this.stateEnd = end;
        break;
      case FIELD.name:
        this.nameStart = start;
        this.nameEnd = end;
        break;
      default:
    }
  }

  #status(): void {
    const reader = this.#reader;
    const outer = reader.enter();
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === STATUS.message) {
        const end = reader.range();
        this.statusStart = reader.position;
        this.statusEnd = reader.position = end;
      } else if (tag === STATUS.code) this.status = reader.int32();
      else reader.skip(tag);
    }
    reader.leave(outer);
  }
}
