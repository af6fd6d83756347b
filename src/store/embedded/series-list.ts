import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { parseEntityId } from '../../model/entity.ts';
import type { SeriesKey } from '../../model/metric.ts';
import type { SeriesFilter, SeriesQuery, SeriesSummary } from '../metric-store.ts';
import type { Page } from '../store.ts';
import { checkLimit, decodeCursor, encodeCursor } from '../cursor.ts';
import { matchesSeries, seenTime } from '../series-key.ts';
import type { TailCache } from './tail-cache.ts';

/** A series as it is stored, with its id. */
export interface StoredSeries {
  id: number;
  key: SeriesKey;
}

interface SeriesRow extends Omit<SeriesKey, 'labels'> {
  id: number;
  labels: string;
}

function seriesOfRow({ id, labels, ...row }: SeriesRow): StoredSeries {
  const { name, kind, unit, service, environment, namespace } = row;
  return { id, key: { name, kind, unit, service, environment, namespace, labels: JSON.parse(labels) as Record<string, string> } };
}

/** Stored series that pass the filter, in order of name and id, from behind `after` on. */
export function* findSeries(
  database: DatabaseSync,
  filter: SeriesFilter,
  after: readonly [name: string, id: number] = ['', 0],
): Generator<StoredSeries> {
  const { names = [], service } = filter;
  const conditions = ['(name, id) > (?, ?)'];
  const parameters: SQLInputValue[] = [...after];
  if (names.length > 0) {
    conditions.push(`name IN (${names.map(() => '?').join(', ')})`);
    parameters.push(...names);
  }
  if (service !== undefined) {
    // A bare name, or the last part of an entity id; which of both it is only the row tells.
    conditions.push('service IN (?, ?)');
    parameters.push(service, parseEntityId(service).service);
  }
  const rows = database.prepare(`SELECT * FROM series WHERE ${conditions.join(' AND ')} ORDER BY name, id`);
  for (const row of rows.iterate(...parameters)) {
    const series = seriesOfRow(row as unknown as SeriesRow);
    if (matchesSeries(filter, series.key)) yield series;
  }
}

/** A page of series with the times of their first and last point. */
export function listSeries(database: DatabaseSync, tails: TailCache, query: SeriesQuery): Page<SeriesSummary> {
  const limit = checkLimit(query.limit);
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, ['string', 'number']);
  const found: StoredSeries[] = [];
  let hasMore = false;
  for (const series of findSeries(database, query, after)) {
    hasMore = found.length === limit;
    if (hasMore) break;
    found.push(series);
  }
  const seen = seenTimes(database, tails, found);
  const items = found.map(({ id, key }) => {
    const { firstMs, lastMs } = seen.get(id) as SeenTimes;
    return { ...key, firstSeen: seenTime(firstMs), lastSeen: seenTime(lastMs) };
  });
  const last = found.at(-1);
  return { items, nextCursor: hasMore && last ? encodeCursor([last.key.name, last.id]) : null };
}

interface SeenTimes {
  firstMs: number;
  lastMs: number;
}

/** What is stored as of the last block, and what tails have brought since. */
function seenTimes(database: DatabaseSync, tails: TailCache, series: readonly StoredSeries[]): Map<number, SeenTimes> {
  const read = database.prepare('SELECT first_ms AS firstMs, last_ms AS lastMs FROM series_seen WHERE id = ?');
  const seen = new Map(series.map(({ id }) => [id, { ...(read.get(id) as unknown as SeenTimes) }]));
  for (const { count, series: ids, times } of tails.read(-Infinity, Infinity)) {
    for (let row = 0; row < count; row++) {
      const entry = seen.get(ids[row] as number);
      if (!entry) continue;
      entry.firstMs = Math.min(entry.firstMs, times[row] as number);
      entry.lastMs = Math.max(entry.lastMs, times[row] as number);
    }
  }
  return seen;
}
