import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import { HeliosError } from '../../lib/errors.ts';
import { HeadSlots } from '../head-slots.ts';
import type { Session } from './database.ts';
import { storableText } from './storable-text.ts';
import { identityHash, storableLabels } from './metric-series.ts';

/** The row of a series says when its last point was, but is not written for less than this. */
const SEEN_PRECISION_MS = 60_000;

const NO_ROW = { id: 0, firstMs: Infinity, lastMs: -Infinity };

/** A series of one partition. */
interface KnownSeries {
  key: SeriesKey;
  identity: string;
  /** Of its row; 0 when it is not known to have one. */
  id: number;
  /** What its row says at least. */
  firstMs: number;
  lastMs: number;
}

/** Times of the first and the last point that a series has in a commit. */
export interface SeenRange {
  slot: number;
  firstMs: number;
  lastMs: number;
}

interface SeenSeries {
  series: KnownSeries;
  firstMs: number;
  lastMs: number;
}

/** What a transaction found out, to be kept once it is committed. */
export interface SeriesChanges {
  ids: Map<KnownSeries, number>;
  seen: readonly SeenSeries[];
  /** Series in the table, when they were counted. */
  total: number;
}

/**
 * The series that a partition's writer has seen, with a slot each: a number for columns in memory. Ids are looked up, and rows made,
 * with the commit that needs them first; nothing of it counts before the commit is done. Bounded by the capacity of the table and the
 * series of what is in memory.
 */
export class MetricSeriesTable {
  readonly #partition: number;
  readonly #capacity: number;
  readonly #heads = new HeadSlots();
  readonly #slots = new Map<string, number>();
  readonly #known: KnownSeries[] = [];
  readonly #register = (key: SeriesKey): number => this.#slotOfKey(key);

  constructor(partition: number, capacity: number) {
    this.#partition = partition;
    this.#capacity = capacity;
  }

  /** Slots are below this. */
  get slotCount(): number {
    return this.#known.length;
  }

  slotOf(batch: MetricBatch, head: number): number {
    return this.#heads.slotOf(batch, head, this.#register);
  }

  idOf(slot: number, { ids }: SeriesChanges): number {
    const series = this.#known[slot] as KnownSeries;
    return series.id || (ids.get(series) ?? 0);
  }

  /**
   * Gives these series a row, as far as the capacity goes, and notes when they had points; inside of the session's transaction. Those
   * beyond have the id 0.
   */
  async store(session: Session, ranges: readonly SeenRange[]): Promise<SeriesChanges> {
    const changes: SeriesChanges = { ids: new Map(), seen: [], total: -1 };
    const all = ranges.map(({ slot, firstMs, lastMs }) => ({ series: this.#known[slot] as KnownSeries, firstMs, lastMs }));
    const { unknown = [], known = [] } = Object.groupBy(all, ({ series }) => (series.id === 0 ? 'unknown' : 'known'));
    if (unknown.length > 0) await this.#makeRows(session, unknown, changes);
    await this.#noteSeen(session, known, changes);
    return changes;
  }

  /** The transaction that found `changes` out is committed. */
  settle({ ids, seen }: SeriesChanges): void {
    for (const [series, id] of ids) series.id = id;
    for (const { series, firstMs, lastMs } of seen) {
      series.firstMs = Math.min(series.firstMs, firstMs);
      series.lastMs = Math.max(series.lastMs, lastMs);
    }
  }

  /** These rows are gone, or may be: the next points of their series make them anew. */
  forgetRows(isGone: (id: number) => boolean): void {
    for (const series of this.#known) {
      if (isGone(series.id)) Object.assign(series, NO_ROW);
    }
  }

  /** Forgets everything; nothing in memory may refer to a slot. */
  clear(): void {
    this.#slots.clear();
    this.#known.length = 0;
    this.#heads.forget();
  }

  #slotOfKey(key: SeriesKey): number {
    const identity = identityHash(key);
    const known = this.#slots.get(identity);
    if (known !== undefined) return known;
    const slot = this.#known.length;
    this.#known.push({ key, identity, ...NO_ROW });
    this.#slots.set(identity, slot);
    return slot;
  }

  async #makeRows(session: Session, unknown: readonly SeenSeries[], changes: SeriesChanges): Promise<void> {
    const { rows } = await session.query('SELECT identity FROM metric_series WHERE identity = ANY($1)', [
      unknown.map(({ series }) => series.identity),
    ]);
    const there = new Set(rows.map((row) => row['identity']));
    const counted = await session.query('SELECT count(*) AS count FROM metric_series');
    const total = Number(counted.rows[0]?.['count']);
    let room = this.#capacity - total;
    const kept = unknown.filter(({ series }) => there.has(series.identity) || room-- > 0);
    changes.total = total + kept.length - there.size;
    if (kept.length === 0) return;
    // In one order whoever stores them, so that two writers wait for each other and do not lock each other out.
    const made = await session.query(
      `INSERT INTO metric_series AS s (identity, log_partition, name, kind, unit, service, environment, namespace, labels, first_seen_ms, last_seen_ms)
       SELECT identity, $2, name, kind, unit, service, environment, namespace, labels, first_seen_ms, last_seen_ms
       FROM jsonb_to_recordset($1::jsonb) AS r (identity text, name text, kind text, unit text, service text, environment text,
         namespace text, labels jsonb, first_seen_ms double precision, last_seen_ms double precision) ORDER BY identity
       ON CONFLICT (identity) DO UPDATE SET log_partition = excluded.log_partition,
         first_seen_ms = least(s.first_seen_ms, excluded.first_seen_ms), last_seen_ms = greatest(s.last_seen_ms, excluded.last_seen_ms)
       RETURNING id, identity`,
      [JSON.stringify(kept.map(rowOf)), this.#partition],
    );
    const ids = new Map(made.rows.map((row) => [row['identity'], Number(row['id'])]));
    for (const { series } of kept) changes.ids.set(series, ids.get(series.identity) as number);
    changes.seen = kept;
  }

  async #noteSeen(session: Session, known: readonly SeenSeries[], changes: SeriesChanges): Promise<void> {
    const seen = known.filter(
      ({ series, firstMs, lastMs }) => firstMs < series.firstMs || lastMs > series.lastMs + SEEN_PRECISION_MS,
    );
    if (seen.length === 0) return;
    const { rowCount } = await session.query(
      `UPDATE metric_series s SET first_seen_ms = least(s.first_seen_ms, u.first_ms), last_seen_ms = greatest(s.last_seen_ms, u.last_ms)
       FROM unnest($1::bigint[], $2::double precision[], $3::double precision[]) AS u (id, first_ms, last_ms) WHERE s.id = u.id`,
      [seen.map(({ series }) => series.id), seen.map(({ firstMs }) => firstMs), seen.map(({ lastMs }) => lastMs)],
    );
    if (rowCount !== seen.length) {
      this.forgetRows(() => true);
      throw new HeliosError('unavailable', 'cannot store points: somebody else has removed their series; they are made anew');
    }
    changes.seen = [...changes.seen, ...seen];
  }
}

function rowOf({ series: { key, identity }, firstMs, lastMs }: SeenSeries): Record<string, unknown> {
  const { name, kind, unit, service, environment, namespace, labels } = key;
  return {
    identity,
    name: storableText(name),
    kind,
    unit: storableText(unit),
    service: storableText(service),
    environment: storableText(environment),
    namespace: storableText(namespace),
    labels: storableLabels(labels),
    first_seen_ms: firstMs,
    last_seen_ms: lastMs,
  };
}
