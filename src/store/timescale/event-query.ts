import { entityId, parseEntityId } from '../../model/entity.ts';
import type { EventQuery } from '../store.ts';
import type { EventPosition } from './event-cursor.ts';
import { EVENTS_PER_RECORD } from './event-rows.ts';
import { storableText } from './storable-text.ts';

/** The years that both PostgreSQL and RFC 3339 can write, in microseconds since the epoch. */
const EARLIEST_MICROS = Date.UTC(1970, 0, 1) * 1000;
const LATEST_MICROS = Date.UTC(9999, 11, 31) * 1000;

/** A parameter of type timestamptz, exact to the microsecond. */
function timestampText(micros: number): string {
  const kept = Math.min(LATEST_MICROS, Math.max(EARLIEST_MICROS, micros));
  const ms = Math.floor(kept / 1000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(kept - ms * 1000).padStart(3, '0')}Z`;
}

/**
 * A pattern of ILIKE that every message with `text` in any case matches. Under collation "C" only ASCII letters have two cases, as in the
 * regular expression that has the last word; what is beyond ASCII may be anything here.
 */
function likePattern(text: string): string {
  const literal = text.replaceAll(/[\\%_]/g, String.raw`\$&`).replaceAll(/[^\p{ASCII}]+/gu, '%');
  return `%${literal}%`;
}

/** Conditions joined by AND, and the values that they refer to. */
export class Conditions {
  readonly #conditions: string[] = [];
  readonly values: unknown[] = [];

  /** `condition` holds one `?` for each value. */
  add(condition: string, ...values: readonly unknown[]): void {
    let at = 0;
    this.#conditions.push(condition.replaceAll('?', () => this.bind(values[at++])));
  }

  /** The placeholder of a value. */
  bind(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  get sql(): string {
    return this.#conditions.length === 0 ? 'true' : this.#conditions.join(' AND ');
  }
}

/** The names of an entity's parts are columns; a bare name is that of the service alone. */
function addService(where: Conditions, name: string): void {
  const entity = parseEntityId(name);
  if (entityId(entity) !== name || entity.service === name) where.add('service = ?', storableText(name));
  else {
    const [service, environment, namespace] = [entity.service, entity.environment, entity.namespace].map(storableText);
    where.add(
      '(service = ? OR (service = ? AND environment = ? AND namespace = ?))',
      storableText(name),
      service,
      environment,
      namespace,
    );
  }
}

/** Conditions of a query but those of time. */
function addFilters(where: Conditions, { service, levels, endpoint, text }: EventQuery): void {
  if (service !== undefined) addService(where, service);
  if (levels.length > 0) where.add('level = ANY(?::smallint[])', [...levels]);
  if (endpoint === '') where.add('endpoint IS NULL');
  else if (endpoint !== undefined) where.add('endpoint = ?', storableText(endpoint));
  if (text !== undefined && text !== '') where.add('message COLLATE "C" ILIKE ?', likePattern(storableText(text)));
}

/** A stretch of the order of events: from this time on, before this place, and below the bound of each partition. */
export interface EventSlice {
  /** Undefined: from the oldest event on. */
  fromMicros: number | undefined;
  /** Undefined: up to the newest event. */
  before: EventPosition | undefined;
  bounds: readonly number[];
}

const COLUMNS = `(extract(epoch FROM time) * 1000000)::float8 AS micros, log_partition, log_position::text AS place, service, level, kind,
  message, trace_id, span_id, parent_span_id, latency_ms, endpoint, metadata`;

/** The newest `limit` events of the slice that may match, newest first, as rows of `event-answer`. */
export function eventStatement(query: EventQuery, slice: EventSlice, limit: number): { sql: string; values: unknown[] } {
  const where = new Conditions();
  const { fromMicros, before, bounds } = slice;
  if (fromMicros !== undefined) where.add('time >= ?::timestamptz', timestampText(fromMicros));
  if (before) {
    const time = timestampText(before.micros);
    if (before.partition < 0) where.add('time < ?::timestamptz', time);
    else {
      // The first one is for the index and for leaving out chunks.
      where.add('time <= ?::timestamptz', time);
      where.add(
        '(time, log_partition, log_position) < (?::timestamptz, ?::smallint, ?::bigint)',
        time,
        before.partition,
        before.position,
      );
    }
  }
  // Past the end of the list the bound is null, and nothing is below it.
  where.add(`log_position < (?::bigint[])[log_partition + 1] * ${EVENTS_PER_RECORD}`, [...bounds]);
  addFilters(where, query);
  const count = where.bind(limit);
  const sql = `SELECT ${COLUMNS} FROM events WHERE ${where.sql}
    ORDER BY time DESC, log_partition DESC, log_position DESC LIMIT ${count}`;
  return { sql, values: where.values };
}
