import type { Clock } from '../../lib/clock.ts';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { Event } from '../../model/event.ts';
import { eventAnswer, textPattern } from '../event-answer.ts';
import { checkLimit } from '../cursor.ts';
import type { EventQuery, Page } from '../store.ts';
import type { Database, Row, Session } from './database.ts';
import type { EventCursor, EventPosition } from './event-cursor.ts';
import { beforeTime, checkKept, decodeEventCursor, encodeEventCursor } from './event-cursor.ts';
import type { EventSlice } from './event-query.ts';
import { eventStatement } from './event-query.ts';
import { storableText } from './storable-text.ts';
import { withColumns } from './metadata-members.ts';

const SECOND_MICROS = 1_000_000;
/** The newest second; what follows is as wide as takes about `SLICE_MS`. */
const FIRST_SLICE_MICROS = SECOND_MICROS;
const SLICE_MS = 250;
const MOST_GROWTH = 4;
/** A slice that takes longer is tried again, this much narrower. */
const SLICE_TIMEOUT_MS = 5000;
const NARROWING = 16;
/** A search that has taken this long answers with what it has and a cursor to go on from. */
const SEARCH_MS = 5000;
const QUERY_CANCELED = '57014';

export interface EventSearchOptions {
  database: Database;
  clock: Clock;
  /** Consumer group and topic whose progress says which events are stored. */
  group: string;
  topic: string;
  limits: SearchLimits;
}

export interface SearchLimits {
  /** How long one query searches before it hands back a partial page, milliseconds; 5 s by default. */
  searchMs?: number;
  /** How long one statement of it may take before it is tried again over less time, milliseconds; 5 s by default. */
  sliceMs?: number;
}

/** A row that matched, and where it stands. */
interface Found {
  at: EventPosition;
  event: Event;
}

function positionOf(row: Row): EventPosition {
  return {
    micros: row['micros'] as number,
    partition: row['log_partition'] as number,
    position: row['place'] as string,
  };
}

function eventOf(row: Row): Event {
  return eventAnswer({
    timestamp: (row['micros'] as number) / 1000,
    service: row['service'] as string,
    level: row['level'] as number,
    message: row['message'] as string,
    metadata: withColumns(
      (row['metadata'] ?? {}) as Record<string, unknown>,
      row['latency_ms'] as number | null,
      row['endpoint'] as string | null,
    ),
    kind: row['kind'] as number,
    traceId: (row['trace_id'] ?? '') as string,
    spanId: (row['span_id'] ?? '') as string,
    parentSpanId: (row['parent_span_id'] ?? '') as string,
  });
}

function isTimeout(error: unknown): boolean {
  return error instanceof HeliosError && systemCode(error.cause) === QUERY_CANCELED;
}

/** Finds events newest first, in slices of time going back, so that a search that finds little ends in time. */
export class EventSearch {
  readonly #options: EventSearchOptions;

  constructor(options: EventSearchOptions) {
    this.#options = options;
  }

  /**
   * One page, of one snapshot: `session` holds it. A page may be short, even empty, and still have a cursor: then it stopped because
   * its time was over.
   */
  async page(session: Session, query: EventQuery): Promise<Page<Event>> {
    const limit = checkLimit(query.limit);
    const given = query.cursor === undefined ? undefined : decodeEventCursor(query.cursor);
    const oldestMicros = await this.#oldest(session);
    if (given) checkKept(given, oldestMicros);
    if (oldestMicros === null) return { items: [], nextCursor: null };
    const bounds = given?.bounds ?? (await this.#bounds(session));
    const { clock, limits } = this.#options;
    const { searchMs = SEARCH_MS, sliceMs = SLICE_TIMEOUT_MS } = limits;
    await session.query(`SET LOCAL statement_timeout = ${sliceMs}`);
    const slices = new SliceWalk(session, clock, query, bounds, oldestMicros);
    const { found, next } = await slices.collect(given?.before, await this.#newest(session), limit, searchMs);
    const cursor: EventCursor | null = next && { before: next, bounds };
    return { items: found.map(({ event }) => event), nextCursor: cursor && encodeEventCursor(cursor) };
  }

  /** `next_offset` by partition: what is stored in this snapshot. */
  async #bounds(session: Session): Promise<number[]> {
    const { group, topic } = this.#options;
    const { rows } = await session.query(
      'SELECT log_partition, next_offset FROM partition_progress WHERE consumer_group = $1 AND topic = $2',
      [group, topic],
    );
    const bounds = [-1];
    for (const row of rows) {
      const partition = row['log_partition'] as number;
      while (bounds.length <= partition) bounds.push(-1);
      bounds[partition] = Number(row['next_offset']);
    }
    return bounds;
  }

  /**
   * Nothing is older, in microseconds since the epoch; null when there is nothing. TimescaleDB drops whole chunks, so the start of the
   * oldest one says what retention has left, without a look into it.
   */
  async #oldest(session: Session): Promise<number | null> {
    const oldestRow = '(SELECT min(time) FROM events)';
    const oldestChunk = `(SELECT min(range_start) FROM timescaledb_information.chunks
      WHERE hypertable_schema = current_schema() AND hypertable_name = 'events')`;
    const isTimescale = this.#options.database.supports.timescale !== null;
    const { rows } = await session.query(
      `SELECT (extract(epoch FROM ${isTimescale ? `coalesce(${oldestChunk}, ${oldestRow})` : oldestRow}) * 1000000)::float8 AS micros`,
    );
    return (rows[0]?.['micros'] ?? null) as number | null;
  }

  /** Where the search begins: spans inside of requests, which are not counted there, may be newer. */
  async #newest(session: Session): Promise<number> {
    const { rows } = await session.query('SELECT max(last_seen_ms) AS ms FROM entity_times');
    return Math.ceil(Number(rows[0]?.['ms'] ?? this.#options.clock.nowMs()) * 1000) + 1;
  }
}

/** Walks back in time, one query a slice. */
class SliceWalk {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #query: EventQuery;
  readonly #bounds: readonly number[];
  readonly #lowest: number;
  readonly #text: RegExp | null;

  constructor(session: Session, clock: Clock, query: EventQuery, bounds: readonly number[], oldestMicros: number) {
    this.#session = session;
    this.#clock = clock;
    this.#query = query;
    this.#bounds = bounds;
    this.#lowest = Math.max(oldestMicros, Math.round((query.fromMs ?? -Infinity) * 1000));
    const { text } = query;
    this.#text = text === undefined || text === '' ? null : textPattern(storableText(text));
  }

  /** Up to `limit` matches before `start`, and where to go on: null when there is no more. */
  async collect(
    start: EventPosition | undefined,
    newestMicros: number,
    limit: number,
    searchMs: number,
  ): Promise<{ found: Found[]; next: EventPosition | null }> {
    const found: Found[] = [];
    const endMs = this.#clock.monotonicMs() + searchMs;
    let width = FIRST_SLICE_MICROS;
    let before = this.#first(start);
    for (;;) {
      const top = Math.min(newestMicros, before?.micros ?? Infinity);
      const from = top - width;
      const isLast = from <= this.#lowest;
      const slice = { fromMicros: isLast ? this.#lowestOrNone() : from, before, bounds: this.#bounds };
      const startMs = this.#clock.monotonicMs();
      // One more than the page holds, to see that there is more.
      const wanted = limit + 1 - found.length;
      const rows = await this.#read(slice, wanted, width > 1);
      if (rows === null) {
        width = Math.max(1, Math.floor(width / NARROWING));
        continue;
      }
      for (const row of rows) if (this.#matches(row)) found.push({ at: positionOf(row), event: eventOf(row) });
      if (found.length > limit) return { found: found.slice(0, limit), next: (found[limit - 1] as Found).at };
      const isWhole = rows.length < wanted;
      if (isWhole && isLast) return { found, next: null };
      before = isWhole ? beforeTime(from) : positionOf(rows.at(-1) as Row);
      if (isWhole) width = this.#nextWidth(width, this.#clock.monotonicMs() - startMs);
      if (this.#clock.monotonicMs() >= endMs) return { found, next: before };
    }
  }

  #first(start: EventPosition | undefined): EventPosition | undefined {
    const { toMs } = this.#query;
    if (toMs === undefined || !Number.isFinite(toMs)) return start;
    const toMicros = Math.round(toMs * 1000);
    return start && start.micros < toMicros ? start : beforeTime(toMicros);
  }

  #lowestOrNone(): number | undefined {
    return this.#query.fromMs === undefined ? undefined : this.#lowest;
  }

  /** The rows of a slice, newest first, or null when it took too long and can be narrower. */
  async #read(slice: EventSlice, limit: number, canNarrow: boolean): Promise<Row[] | null> {
    const { sql, values } = eventStatement(this.#query, slice, limit);
    await this.#session.query('SAVEPOINT slice');
    try {
      const { rows } = await this.#session.query(sql, values);
      await this.#session.query('RELEASE SAVEPOINT slice');
      return rows;
    } catch (error) {
      if (!canNarrow || !isTimeout(error)) throw error;
      await this.#session.query('ROLLBACK TO SAVEPOINT slice');
      return null;
    }
  }

  #matches(row: Row): boolean {
    return this.#text === null || this.#text.test(row['message'] as string);
  }

  #nextWidth(width: number, elapsedMs: number): number {
    const factor = Math.min(MOST_GROWTH, Math.max(1 / MOST_GROWTH, SLICE_MS / Math.max(1, elapsedMs)));
    return Math.max(1, Math.round(width * factor));
  }
}
