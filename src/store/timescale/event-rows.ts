import { assert } from '../../lib/assert.ts';
import type { EventBatch, Names } from '../../model/event-batch.ts';
import { judgeEvent, mergedMetadata } from '../../model/event-rules.ts';
import type { EventRow } from '../../model/event-rules.ts';
import { parseEntityId } from '../../model/entity.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { RowBytes } from './binary-copy.ts';
import type { FieldRange } from './event-rows-ranges.ts';
import { EventRanges } from './event-rows-ranges.ts';
import { storableJson, storableText } from './storable-text.ts';
import { ENDPOINT_MEMBER, LATENCY_MEMBER, withoutColumns } from './metadata-members.ts';

/** Columns of `events` in the order in which rows are encoded. */
export const EVENT_COLUMNS = [
  'time',
  'log_position',
  'log_partition',
  'kind',
  'level',
  'weight',
  'latency_ms',
  'service',
  'environment',
  'namespace',
  'service_version',
  'endpoint',
  'message',
  'trace_id',
  'span_id',
  'parent_span_id',
  'metadata',
] as const;

/** Events of one record have positions of their own below this; a record holds fewer. */
export const EVENTS_PER_RECORD = 2 ** 20;
/** Fields of fixed width, and the lengths of the others. */
const FIXED_BYTES = 160;
const EMPTY_BYTES = new Uint8Array(0);
const EMPTY_OBJECT = '{}';

/** Names of a scanner as encoded fields, by id. */
interface NameFields {
  entities: (Uint8Array | undefined)[];
  endpoints: (Uint8Array | undefined)[];
  versions: (Uint8Array | undefined)[];
}

function fieldsOf(...texts: readonly string[]): Uint8Array {
  const fields = texts.map((text) => {
    const bytes = Buffer.from(storableText(text));
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  return Buffer.concat(fields);
}

const NULL_FIELD = Uint8Array.of(255, 255, 255, 255);
const EMPTY_FIELD = fieldsOf('');

/**
 * Encodes events as rows of binary COPY. Usual events are cut out of their JSON as they are; all others go through JSON.parse and the
 * plain rules, and come out the same. Metadata is kept as it was posted, with unknown top-level keys merged into it and
 * without what columns hold; text as `storableText` has it.
 */
export class EventRowEncoder {
  readonly #out: RowBytes;
  readonly #partition: number;
  readonly #ranges = new EventRanges();
  readonly #names = new WeakMap<Names, NameFields>();

  constructor(out: RowBytes, partition: number) {
    this.#out = out;
    this.#partition = partition;
  }

  /** Appends event `i` of the batch, for `weight` events, the `i`-th of the record at `recordOffset`. */
  encode(batch: EventBatch, i: number, recordOffset: number, weight: number): void {
    const offset = batch.offset[i] as number;
    const length = batch.length[i] as number;
    const fields = this.#fieldsOf(batch, i);
    const columns = columnsOf(batch.latency[i] as number, batch.endpoint[i] !== 0);
    if (fields && this.#ranges.find(batch.bytes, offset, length, batch.kind[i] as number, columns)) {
      // No byte of JSON becomes more than one of text: what replaces the six bytes of an escaped U+0000 has three.
      this.#out.reserve(FIXED_BYTES + fields.entity.length + fields.version.length + fields.endpoint.length + length);
      this.#encodeHead(batch, i, recordOffset, weight);
      this.#out.fields(fields.entity);
      this.#out.fields(fields.version);
      this.#out.fields(fields.endpoint);
      this.#encodeRanges(batch.bytes);
    } else this.#encodePlainly(batch, i, recordOffset, weight);
  }

  #encodeHead(batch: EventBatch, i: number, recordOffset: number, weight: number): void {
    const out = this.#out;
    const latency = batch.latency[i] as number;
    out.int16(EVENT_COLUMNS.length);
    out.timeField(batch.timestamp[i] as number);
    // offset * 2^20 + i, in halves of 32 bits.
    out.int64Field(Math.floor(recordOffset / 4096), (recordOffset % 4096) * EVENTS_PER_RECORD + i);
    out.int16Field(this.#partition);
    out.int16Field(batch.kind[i] as number);
    out.int16Field(batch.level[i] as number);
    out.int16Field(weight);
    if (latency >= 0) out.float64Field(latency);
    else out.nullField();
  }

  readonly #found = { entity: EMPTY_BYTES, version: EMPTY_BYTES, endpoint: EMPTY_BYTES } as Record<
    'entity' | 'version' | 'endpoint',
    Uint8Array
  >;

  /** The event's names as fields, or null where one of them is only known as "other". */
  #fieldsOf(batch: EventBatch, i: number): Record<'entity' | 'version' | 'endpoint', Uint8Array> | null {
    const { names } = batch;
    const entity = batch.entity[i] as number;
    const version = batch.version[i] as number;
    const endpoint = batch.endpoint[i] as number;
    if (entity === names.entities.otherId || version === names.versions.otherId || endpoint === names.endpoints.otherId)
      return null;
    let known = this.#names.get(names);
    if (!known) {
      known = { entities: [], endpoints: [NULL_FIELD], versions: [EMPTY_FIELD] };
      this.#names.set(names, known);
    }
    const found = this.#found;
    found.entity = known.entities[entity] ??= entityFields(names.entities.name(entity));
    found.version = known.versions[version] ??= fieldsOf(names.versions.name(version));
    found.endpoint = known.endpoints[endpoint] ??= fieldsOf(names.endpoints.name(endpoint));
    return found;
  }

  #encodeRanges(bytes: Uint8Array): void {
    const { message, metadata, traceId, spanId, parentSpanId } = this.#ranges;
    this.#encodeText(bytes, message);
    this.#encodeId(bytes, traceId);
    this.#encodeId(bytes, spanId);
    this.#encodeId(bytes, parentSpanId);
    if (metadata.pieces.length === 0) this.#out.nullField();
    else this.#out.objectField(bytes, metadata.pieces, metadata.byteLength);
  }

  /** An id that is empty is none. */
  #encodeId(bytes: Uint8Array, range: FieldRange): void {
    if (range.start < 0 || range.end === range.start) this.#out.nullField();
    else this.#encodeText(bytes, range);
  }

  #encodeText(bytes: Uint8Array, { start, end, escaped }: FieldRange): void {
    if (!escaped) {
      this.#out.textField(bytes, start, end);
      return;
    }
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#out.stringField(storableText(JSON.parse(source.toString('utf8', start - 1, end + 1)) as string));
  }

  #encodePlainly(batch: EventBatch, i: number, recordOffset: number, weight: number): void {
    const out = this.#out;
    const { bytes } = batch;
    const start = batch.offset[i] as number;
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const value = JSON.parse(source.toString('utf8', start, start + (batch.length[i] as number))) as Record<string, unknown>;
    const row = judgeEvent(value, NO_LIMITS);
    assert('timestamp' in row, 'a batch holds accepted events only');
    const json = storableJson(withoutColumns(mergedMetadata(value), columnsOf(row.latency, row.endpoint !== '')));
    const names = plainNames(row);
    out.reserve(FIXED_BYTES + names.length + (batch.length[i] as number) + Buffer.byteLength(json));
    this.#encodeHead(batch, i, recordOffset, weight);
    out.fields(names);
    out.stringField(storableText(value['message'] as string));
    for (const id of [row.traceId, row.spanId, row.parentSpanId]) {
      if (id === '') out.nullField();
      else out.stringField(storableText(id));
    }
    if (json === EMPTY_OBJECT) out.nullField();
    else {
      const metadata = Buffer.from(json);
      out.jsonField(metadata, 0, metadata.length);
    }
  }
}

/** Which members of metadata stand in columns. */
function columnsOf(latency: number, hasEndpoint: boolean): number {
  return (latency >= 0 ? LATENCY_MEMBER : 0) + (hasEndpoint ? ENDPOINT_MEMBER : 0);
}

/** Service, environment and namespace. */
function entityFields(entity: string): Uint8Array {
  const { service, environment, namespace } = parseEntityId(entity);
  return fieldsOf(service, environment, namespace);
}

function plainNames(row: EventRow): Uint8Array {
  const endpoint = row.endpoint === '' ? NULL_FIELD : fieldsOf(row.endpoint);
  return Buffer.concat([entityFields(row.entity), fieldsOf(row.version), endpoint]);
}
