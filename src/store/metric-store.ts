import type { MetricBatch, SeriesKey } from '../model/metric.ts';
import type { Page } from './store.ts';

/** Which series are meant; what is absent or empty does not narrow. */
export interface SeriesFilter {
  names?: readonly string[];
  /** Entity id or bare service name. */
  service?: string;
  /** Labels that must have these values; "" for one that must not be there. `service`, `environment` and `namespace` count as labels. */
  labels?: Readonly<Record<string, string>>;
}

export interface SeriesQuery extends SeriesFilter {
  /** 1..1000. */
  limit: number;
  cursor?: string;
}

export interface SeriesSummary extends SeriesKey {
  /** Times of the earliest and the latest point, ISO 8601. */
  firstSeen: string;
  lastSeen: string;
}

export interface PointsQuery extends SeriesFilter {
  /** Inclusive and exclusive, milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  /** Milliseconds, a multiple of 10,000; "raw" for the points as they were sent. */
  step: number | 'raw';
}

export interface ReceivedSeries {
  key: SeriesKey;
  /** Unit of the values: the series' own, or per second. */
  unit: string;
  /** [time in milliseconds, value]; by step one entry a bucket, null where it has no value. */
  points: [number, number | null][];
}

/**
 * Reads what was received. By step (buckets as in `MetricsQuery`):
 *
 * - gauge: mean of the bucket's points;
 * - cumulative: increase per second. The increase from a point to the next belongs to the bucket of the next; a value below the
 *   one before, or a start after it, is a total that began anew and counts whole. A point without one before it in the range or in
 *   the five minutes ahead of it counts whole if its start is in the range, else only as what the next is compared with;
 * - delta: sum per second.
 *
 * Points that are NaN count for nothing. Of several points of one series and time the last received is the one.
 */
export interface MetricStore extends AsyncDisposable {
  /** In order of name and registration. A malformed cursor rejects with `invalid_argument`. */
  series(query: SeriesQuery): Promise<Page<SeriesSummary>>;
  /** In the same order, series without any point in the range left out. Too much: `invalid_argument`, field "step" or "from". */
  points(query: PointsQuery): Promise<ReceivedSeries[]>;
}

/**
 * The one writer of received metrics, used in the thread that reads the metrics log. Exactly once: `commit` stores points and offset
 * in one transaction, and a restart goes on from there. Points may come in any order.
 */
export interface MetricStoreWriter extends AsyncDisposable {
  /** Offset after the last record whose points are committed; 0 for an empty store. */
  offset(): number;
  /** Takes a scanned record into memory. Records below `offset()` are ignored. */
  observe(batch: MetricBatch, recordOffset: number): void;
  /** So many points wait that they should be committed at once. */
  isFull(): boolean;
  /**
   * Commits everything observed as of `nextOffset`; below `offset()` it does nothing. Rejects with `disk_full` and may then be
   * called again: nothing is lost or stored twice.
   */
  commit(nextOffset: number): Promise<void>;
  /** Drops series whose last point is before `beforeMs`, and points as far as whole blocks are; what came lately goes a commit and a call later. */
  retain(beforeMs: number): Promise<void>;
}
