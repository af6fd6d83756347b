import { MAX_LATENCY_MS } from '../../model/event.ts';
import { adjustedCount } from './adjusted-count.ts';
import { STRING_VALUE } from './any-value.ts';
import { EventWriter } from './event-writer.ts';
import type { EventRecord } from './event-writer.ts';
import { EVENT_ROLES, ROLE } from './metadata-key.ts';
import { EventRequest } from './request.ts';
import type { EventTranscoder } from './request.ts';
import { SpanDetails } from './span-details.ts';
import { SpanFields } from './span-fields.ts';

/** The metadata of a span has an endpoint and a latency of its own. */
const SPAN_ROLES: Readonly<Record<string, number>> = {
  ...EVENT_ROLES,
  latency_ms: ROLE.reserved,
  endpoint: ROLE.reserved,
  'span.name': ROLE.reserved,
  'http.request.method': ROLE.httpMethod,
  'http.method': ROLE.httpMethod,
  'http.route': ROLE.httpRoute,
  'url.template': ROLE.urlTemplate,
  'rpc.system': ROLE.remoteCall,
  'rpc.system.name': ROLE.remoteCall,
  'messaging.system': ROLE.remoteCall,
};

const SERVER = 2;
const CONSUMER = 5;
const STATUS_ERROR = 2;
const NANOS_PER_MS = 1_000_000;
const TWO_32 = 2 ** 32;
const COMMA = 0x2c;
const SPACE = Buffer.from(' ');

const ERROR_AND_MESSAGE = Buffer.from('"ERROR","message":');
const INFO_AND_MESSAGE = Buffer.from('"INFO","message":');
const SPAN_KIND = Buffer.from(',"kind":"span"');
const INNER_SPAN_KIND = Buffer.from(',"kind":"inner_span"');
const TRACE_ID = Buffer.from(',"trace_id":');
const SPAN_ID = Buffer.from(',"span_id":');
const PARENT_SPAN_ID = Buffer.from(',"parent_span_id":');
/** By number, from 1 (trace.proto, SpanKind and StatusCode). */
const KIND_NAMES = ['internal', 'server', 'client', 'producer', 'consumer'].map((name) => Buffer.from(`"${name}"`));
const STATUS_NAMES = ['OK', 'ERROR'].map((name) => Buffer.from(`"${name}"`));

/**
 * ExportTraceServiceRequest to events of kind span, for what the service was asked to do (server, consumer, or without a
 * parent), and inner_span for the rest. An event has the time of the span's end, its duration as latency, level ERROR when
 * its status says so, and as endpoint the method and route of HTTP, or else the span's name.
 */
export function createTracesTranscoder(): EventTranscoder {
  const record = new SpanRecord();
  const request = new EventRequest(record.writer, record);
  return (body, arrivalMs, memory) => {
    record.fields.arriveAt(arrivalMs);
    return request.read(body, 'ExportTraceServiceRequest', memory);
  };
}

class SpanRecord implements EventRecord {
  readonly writer = new EventWriter(SPAN_ROLES);
  readonly fields = new SpanFields(this.writer.reader);
  readonly #details = new SpanDetails(this.writer);
  readonly #keys = {
    latency: this.writer.keys.fixed('latency_ms', ROLE.reserved),
    start: this.writer.keys.fixed('start_timestamp'),
    kind: this.writer.keys.fixed('span.kind'),
    name: this.writer.keys.fixed('span.name', ROLE.reserved),
    endpoint: this.writer.keys.fixed('endpoint', ROLE.reserved),
    status: this.writer.keys.fixed('otel.status_code'),
    traceState: this.writer.keys.fixed('trace_state'),
    adjustedCount: this.writer.keys.fixed('adjusted_count', ROLE.reserved),
    flags: this.writer.keys.fixed('flags'),
    droppedAttributes: this.writer.keys.fixed('dropped_attributes_count'),
    droppedEvents: this.writer.keys.fixed('dropped_events_count'),
    droppedLinks: this.writer.keys.fixed('dropped_links_count'),
    events: this.writer.keys.fixed('events'),
    links: this.writer.keys.fixed('links'),
  };
  #methodStart = 0;
  #methodEnd = 0;
  #routeStart = 0;
  #routeEnd = 0;
  #isRemoteCall = false;

  read(): void {
    this.fields.read();
  }

  write(): void {
    const { writer, fields } = this;
    const { out } = writer;
    writer.begin(fields.timeLow, fields.timeHigh);
    out.raw(fields.status === STATUS_ERROR ? ERROR_AND_MESSAGE : INFO_AND_MESSAGE);
    const hasText = fields.statusEnd > fields.statusStart;
    if (hasText) writer.message(fields.statusStart, fields.statusEnd);
    else writer.message(fields.nameStart, fields.nameEnd);
    const isRoot = !writer.isId(fields.parentStart, fields.parentEnd);
    out.raw(isRoot || fields.kind === SERVER || fields.kind === CONSUMER ? SPAN_KIND : INNER_SPAN_KIND);
    writer.metadata();
    this.#writeLatency();
    this.#writeOwn();
    this.#writeAttributes();
    this.#writeEndpoint(hasText);
    writer.endMetadata();
    writer.id(TRACE_ID, fields.traceStart, fields.traceEnd);
    writer.id(SPAN_ID, fields.spanStart, fields.spanEnd);
    writer.id(PARENT_SPAN_ID, fields.parentStart, fields.parentEnd);
    writer.end();
  }

  /** The duration; or the start, when there is no duration that an event may have. */
  #writeLatency(): void {
    const { writer, fields } = this;
    if ((fields.startLow | fields.startHigh) === 0 || (fields.endLow | fields.endHigh) === 0) return;
    const nanos = (fields.endHigh - fields.startHigh) * TWO_32 + (fields.endLow - fields.startLow);
    if (nanos >= 0 && nanos <= MAX_LATENCY_MS * NANOS_PER_MS) {
      writer.key(this.#keys.latency);
      writer.out.decimal(nanos, NANOS_PER_MS);
    } else {
      writer.key(this.#keys.start);
      writer.out.timestamp(fields.startLow, fields.startHigh);
    }
    writer.out.byte(COMMA);
  }

  #writeOwn(): void {
    const { writer, fields } = this;
    const keys = this.#keys;
    const kindName = KIND_NAMES[fields.kind - 1];
    if (kindName) writer.rawMember(keys.kind, kindName);
    else writer.countMember(keys.kind, fields.kind);
    const statusName = STATUS_NAMES[fields.status - 1];
    if (statusName) writer.rawMember(keys.status, statusName);
    else writer.countMember(keys.status, fields.status);
    if (fields.stateEnd > fields.stateStart) {
      writer.textMember(keys.traceState, fields.stateStart, fields.stateEnd);
      const count = adjustedCount(writer.reader.bytes, fields.stateStart, fields.stateEnd);
      if (count > 1) {
        writer.key(keys.adjustedCount);
        writer.out.double(count);
        writer.out.byte(COMMA);
      }
    }
    writer.countMember(keys.flags, fields.flags);
    writer.countMember(keys.droppedAttributes, fields.droppedAttributes);
    writer.countMember(keys.droppedEvents, fields.droppedEvents);
    writer.countMember(keys.droppedLinks, fields.droppedLinks);
    if (fields.events.count > 0) {
      writer.key(keys.events);
      this.#details.events(fields.events);
    }
    if (fields.links.count > 0) {
      writer.key(keys.links);
      this.#details.links(fields.links);
    }
  }

  #writeAttributes(): void {
    const { writer, fields } = this;
    const { attributes } = fields;
    this.#methodStart = this.#methodEnd = this.#routeStart = this.#routeEnd = 0;
    this.#isRemoteCall = false;
    for (let i = 0; i < attributes.count && writer.out.length < writer.values.limit; i++) {
      const key = writer.attributes.read(attributes.start(i), attributes.end(i));
      if (key.role >= ROLE.httpMethod) this.#note(key.role);
      writer.attributeMember(key);
    }
  }

  /** Remembers what makes the endpoint of an HTTP span; `http.route` goes before `url.template`. */
  #note(role: number): void {
    const { reader, attributes } = this.writer;
    if (attributes.valueTag !== STRING_VALUE) return;
    if (role === ROLE.remoteCall) {
      this.#isRemoteCall = true;
      return;
    }
    const { position } = reader;
    const end = reader.range();
    if (role === ROLE.httpMethod) {
      this.#methodStart = reader.position;
      this.#methodEnd = end;
    } else if (role === ROLE.httpRoute || this.#routeEnd === this.#routeStart) {
      this.#routeStart = reader.position;
      this.#routeEnd = end;
    }
    reader.position = position;
  }

  #writeEndpoint(hasText: boolean): void {
    const { writer, fields } = this;
    const { out, reader } = writer;
    const { bytes } = reader;
    if (this.#isRemoteCall || this.#routeEnd === this.#routeStart) {
      writer.textMember(this.#keys.endpoint, fields.nameStart, fields.nameEnd);
      return;
    }
    writer.key(this.#keys.endpoint);
    if (this.#methodEnd > this.#methodStart) {
      out.string(bytes, this.#methodStart, this.#methodEnd);
      out.lengthen(SPACE, 0, 1);
      out.lengthen(bytes, this.#routeStart, this.#routeEnd);
    } else out.string(bytes, this.#routeStart, this.#routeEnd);
    out.byte(COMMA);
    // The name would be nowhere else: the status has the message, and the route is the endpoint.
    if (hasText) writer.textMember(this.#keys.name, fields.nameStart, fields.nameEnd);
  }
}
