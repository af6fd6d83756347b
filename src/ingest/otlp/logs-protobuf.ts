import { levelCode, LEVEL_INFO, LEVELS } from '../../model/event.ts';
import { EventWriter } from './event-writer.ts';
import type { EventRecord } from './event-writer.ts';
import { EVENT_ROLES } from './metadata-key.ts';
import { nanosOf } from './nanos.ts';
import { RangeList } from './range-list.ts';
import { EventRequest } from './request.ts';
import type { EventTranscoder } from './request.ts';

/** Tags of LogRecord (opentelemetry/proto/logs/v1/logs.proto). */
const FIELD = {
  time: 9,
  severityNumber: 16,
  severityText: 26,
  body: 42,
  attributes: 50,
  droppedAttributesCount: 56,
  flags: 69,
  traceId: 74,
  spanId: 82,
  observedTime: 89,
  eventName: 98,
} as const;

/** The first of the four severity numbers of each level; what is another number is kept beside the level. */
const FIRST_SEVERITY = [0, 5, 9, 13, 17, 21];
const LEVEL_AND_MESSAGE = LEVELS.map((level) => Buffer.from(`"${level}","message":`));
const LEVEL_NAMES = LEVELS.map((level) => Buffer.from(level));
const KIND = Buffer.from(',"kind":"log"');
const TRACE_ID = Buffer.from(',"trace_id":');
const SPAN_ID = Buffer.from(',"span_id":');
const EMPTY = Buffer.from('""');
const COMMA = 0x2c;

/**
 * ExportLogsServiceRequest to events of kind log (OpenTelemetry, "Logs Data Model"). A record has the time when it
 * happened, or else when it was observed, or else arrived; the level of its severity number, or else of its text, or else INFO.
 */
export function createLogsTranscoder(): EventTranscoder {
  const record = new LogRecord();
  const request = new EventRequest(record.writer, record);
  return (body, arrivalMs, memory) => {
    record.arriveAt(arrivalMs);
    return request.read(body, 'ExportLogsServiceRequest', memory);
  };
}

class LogRecord implements EventRecord {
  readonly writer = new EventWriter(EVENT_ROLES);
  readonly #attributes = new RangeList();
  readonly #keys = {
    severityNumber: this.writer.keys.fixed('severity_number'),
    severityText: this.writer.keys.fixed('severity_text'),
    observed: this.writer.keys.fixed('observed_timestamp'),
    eventName: this.writer.keys.fixed('event_name'),
    flags: this.writer.keys.fixed('flags'),
    dropped: this.writer.keys.fixed('dropped_attributes_count'),
  };
  #arrivalLow = 0;
  #arrivalHigh = 0;
  #timeLow = 0;
  #timeHigh = 0;
  #observedLow = 0;
  #observedHigh = 0;
  #severity = 0;
  #textStart = 0;
  #textEnd = 0;
  #bodyStart = 0;
  #bodyEnd = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #traceStart = 0;
  #traceEnd = 0;
  #spanStart = 0;
  #spanEnd = 0;
  #dropped = 0;
  #flags = 0;

  arriveAt(ms: number): void {
    ({ low: this.#arrivalLow, high: this.#arrivalHigh } = nanosOf(ms));
  }

  read(): void {
    const { reader } = this.writer;
    this.#clear();
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      switch (tag) {
        case FIELD.time:
          reader.fixed64();
          this.#timeLow = reader.low;
          this.#timeHigh = reader.high;
          break;
        case FIELD.observedTime:
          reader.fixed64();
          this.#observedLow = reader.low;
          this.#observedHigh = reader.high;
          break;
        case FIELD.severityNumber:
          this.#severity = reader.int32();
          break;
        case FIELD.droppedAttributesCount:
          this.#dropped = reader.int32() >>> 0;
          break;
        case FIELD.flags:
          this.#flags = reader.fixed32();
          break;
        default:
          if ((tag & 7) === 2) this.#range(tag);
          else reader.skip(tag);
      }
    }
  }

  write(): void {
    const { writer } = this;
    const { out } = writer;
    const isTimed = (this.#timeLow | this.#timeHigh) !== 0;
    if (isTimed) writer.begin(this.#timeLow, this.#timeHigh);
    else if ((this.#observedLow | this.#observedHigh) !== 0) writer.begin(this.#observedLow, this.#observedHigh);
    else writer.begin(this.#arrivalLow, this.#arrivalHigh);
    const level = this.#level();
    out.raw(LEVEL_AND_MESSAGE[level] as Uint8Array);
    if (!this.#writeBody()) {
      if (this.#nameEnd > this.#nameStart) writer.message(this.#nameStart, this.#nameEnd);
      else out.raw(EMPTY);
    }
    out.raw(KIND);
    writer.metadata();
    if (isTimed) this.#writeObserved();
    this.#writeSeverity(level);
    writer.textMember(this.#keys.eventName, this.#nameStart, this.#nameEnd);
    writer.countMember(this.#keys.flags, this.#flags);
    writer.countMember(this.#keys.dropped, this.#dropped);
    writer.attributeMembers(this.#attributes);
    writer.endMetadata();
    writer.id(TRACE_ID, this.#traceStart, this.#traceEnd);
    writer.id(SPAN_ID, this.#spanStart, this.#spanEnd);
    writer.end();
  }

  #clear(): void {
    this.#attributes.clear();
    this.#timeLow = this.#timeHigh = this.#observedLow = this.#observedHigh = 0;
    this.#severity = this.#dropped = this.#flags = 0;
    this.#textStart = this.#textEnd = this.#bodyStart = this.#bodyEnd = this.#nameStart = this.#nameEnd = 0;
    this.#traceStart = this.#traceEnd = this.#spanStart = this.#spanEnd = 0;
  }

  #range(tag: number): void {
    const { reader } = this.writer;
    const end = reader.range();
    const start = reader.position;
    reader.position = end;
    if (tag === FIELD.attributes) this.#attributes.add(start, end);
    else if (tag === FIELD.body) {
      this.#bodyStart = start;
      this.#bodyEnd = end;
    } else if (tag === FIELD.severityText) {
      this.#textStart = start;
      this.#textEnd = end;
    } else if (tag === FIELD.traceId) {
      this.#traceStart = start;
      this.#traceEnd = end;
    } else if (tag === FIELD.spanId) {
      this.#spanStart = start;
      this.#spanEnd = end;
    } else if (tag === FIELD.eventName) {
      this.#nameStart = start;
      this.#nameEnd = end;
    }
  }

  #level(): number {
    const byNumber = levelCode(this.#severity);
    if (byNumber !== 0 || this.#textEnd - this.#textStart > 16) return byNumber || LEVEL_INFO;
    return levelCode(Buffer.from(this.writer.reader.bytes.subarray(this.#textStart, this.#textEnd)).toString()) || LEVEL_INFO;
  }

  #writeBody(): boolean {
    return this.#bodyEnd > this.#bodyStart && this.writer.messageValue(this.#bodyStart, this.#bodyEnd);
  }

  #writeObserved(): void {
    if ((this.#observedLow | this.#observedHigh) === 0) return;
    if (this.#observedLow === this.#timeLow && this.#observedHigh === this.#timeHigh) return;
    this.writer.key(this.#keys.observed);
    this.writer.out.timestamp(this.#observedLow, this.#observedHigh);
    this.writer.out.byte(COMMA);
  }

  /** What the level does not say: a number inside its range, a text that is not its name. */
  #writeSeverity(level: number): void {
    if (this.#severity !== FIRST_SEVERITY[level]) this.writer.countMember(this.#keys.severityNumber, this.#severity);
    if (!this.#isLevelName(LEVEL_NAMES[level] as Uint8Array)) {
      this.writer.textMember(this.#keys.severityText, this.#textStart, this.#textEnd);
    }
  }

  #isLevelName(name: Uint8Array): boolean {
    if (this.#textEnd - this.#textStart !== name.length) return false;
    const { bytes } = this.writer.reader;
    for (let k = 0; k < name.length; k++) if (((bytes[this.#textStart + k] as number) & 0xdf) !== name[k]) return false;
    return true;
  }
}
