import { DAY_MS, HOUR_MS, MINUTE_MS } from '../rollup/rollup-key.ts';
import type { Session } from './database.ts';

/** Widths of the periods of minute, hour and day rows; the level is the index. */
export const PERIOD_MS = [MINUTE_MS, HOUR_MS, DAY_MS] as const;
export type RollupLevel = 0 | 1 | 2;
const TABLES = ['minute_rollups', 'hour_rollups', 'day_rollups'] as const;

/** Consecutive periods of one level, numbers since the epoch. */
export interface PeriodSpan {
  first: number;
  end: number;
  /** Sources (see `sourceOf`) that are meant, or null for all. */
  only: ReadonlySet<string> | null;
}

export interface RollupRow {
  period: number;
  stream: number;
  partition: number;
  data: Uint8Array;
}

/** A stream's part from one partition: what is summed up, or not yet, by itself. */
export function sourceOf(stream: number, partition: number): string {
  return `${stream}/${partition}`;
}

/** About how many rows are in memory at a time: some 10 MB. */
const ROWS_PER_QUERY = 20_000;
/** Looking up a row by its key costs about what reading this many neighbours does. */
const LOOKUP_COST = 4;
/** A list that is not worth sending: the rows are picked out here. */
const MAX_LISTED_STREAMS = 10_000;

/** Reads rollup rows of some streams over one session that holds a snapshot. */
export class RollupRows {
  readonly #session: Session;
  readonly #wanted: ReadonlySet<number>;
  /** Stream numbers to send, or null for all. */
  readonly #listed: readonly number[] | null;
  readonly #isLookup: boolean;

  constructor(session: Session, wanted: ReadonlySet<number>, entityCount: number) {
    this.#session = session;
    this.#wanted = wanted;
    this.#listed = wanted.size <= MAX_LISTED_STREAMS ? [...wanted] : null;
    this.#isLookup = this.#listed !== null && wanted.size * LOOKUP_COST < entityCount;
  }

  /** The time that has minute rows, by whole days; null without any. Milliseconds since the epoch. */
  async bounds(): Promise<{ fromMs: number; toMs: number } | null> {
    const { rows } = await this.#session.query(
      `SELECT (SELECT min(period) FROM minute_rollups)::integer AS low, (SELECT max(period) FROM minute_rollups)::integer AS high`,
    );
    const { low, high } = rows[0] as { low: number | null; high: number | null };
    if (low === null || high === null) return null;
    const fromMs = Math.floor((low * MINUTE_MS) / DAY_MS) * DAY_MS;
    return { fromMs, toMs: Math.ceil(((high + 1) * MINUTE_MS) / DAY_MS) * DAY_MS };
  }

  /** Sources by period that have changed since they were last summed up, so that their row at `level` does not count. */
  async open(level: RollupLevel, spans: readonly PeriodSpan[]): Promise<Map<number, Set<string>>> {
    const open = new Map<number, Set<string>>();
    if (level === 0 || spans.length === 0) return open;
    const { rows } = await this.#session.query(
      `SELECT span.number::integer - 1 AS span, o.period::integer, o.stream::integer, o.log_partition
       FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS span (first, last, number)
       JOIN open_rollups o ON o.level = $3 AND o.period >= span.first AND o.period < span.last`,
      [spans.map(({ first }) => first), spans.map(({ end }) => end), level],
    );
    for (const row of rows as unknown as (RollupRow & { span: number; log_partition: number })[]) {
      const source = sourceOf(row.stream, row.log_partition);
      const { only } = spans[row.span] as PeriodSpan;
      if (!this.#wanted.has(row.stream) || only?.has(source) === false) continue;
      const sources = open.get(row.period);
      if (sources) sources.add(source);
      else open.set(row.period, new Set([source]));
    }
    return open;
  }

  /** Visits the rows of the spans, in no order. */
  async forEach(level: RollupLevel, spans: readonly PeriodSpan[], visit: (row: RollupRow) => void): Promise<void> {
    const periods = Math.max(1, Math.floor(ROWS_PER_QUERY / this.#wanted.size));
    for (const batch of batches(spans, periods)) {
      const { rows } = await this.#session.query(this.#sql(level), [
        batch.map(({ first }) => first),
        batch.map(({ end }) => end),
        ...(this.#listed ? [this.#listed] : []),
      ]);
      for (const row of rows as unknown as (Omit<RollupRow, 'partition'> & { span: number; log_partition: number })[]) {
        const { period, stream, log_partition: partition, data } = row;
        const { only } = batch[row.span] as PeriodSpan;
        if (only !== null && !only.has(sourceOf(stream, partition))) continue;
        if (this.#wanted.has(stream)) visit({ period, stream, partition, data });
      }
    }
  }

  /** OFFSET 0 keeps the planner at one range of the primary key a span, whatever it believes of their number. */
  #sql(level: RollupLevel): string {
    const columns = 'span.number::integer - 1 AS span, r.period::integer, r.stream::integer, r.log_partition, r.data';
    const spans = 'unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS span (first, last, number)';
    const streams = this.#listed ? 'AND t.stream = ANY($3::bigint[])' : '';
    if (this.#isLookup) {
      return `SELECT ${columns} FROM ${spans} CROSS JOIN LATERAL generate_series(span.first, span.last - 1) AS at (period)
        CROSS JOIN LATERAL (SELECT * FROM ${TABLES[level]} t WHERE t.period = at.period ${streams} OFFSET 0) r`;
    }
    return `SELECT ${columns} FROM ${spans} CROSS JOIN LATERAL
      (SELECT * FROM ${TABLES[level]} t WHERE t.period >= span.first AND t.period < span.last ${streams} OFFSET 0) r`;
  }
}

/** Cuts spans into lists of at most so many periods together. */
function* batches(spans: readonly PeriodSpan[], periods: number): Generator<PeriodSpan[]> {
  let batch: PeriodSpan[] = [];
  let left = periods;
  for (const { first, end, only } of spans) {
    for (let from = first; from < end;) {
      const to = Math.min(end, from + left);
      batch.push({ first: from, end: to, only });
      left -= to - from;
      from = to;
      if (left > 0) continue;
      yield batch;
      batch = [];
      left = periods;
    }
  }
  if (batch.length > 0) yield batch;
}
