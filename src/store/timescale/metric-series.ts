import { createHash } from 'node:crypto';
import { parseEntityId } from '../../model/entity.ts';
import type { SeriesKey } from '../../model/metric.ts';
import type { SeriesFilter, SeriesQuery, SeriesSummary } from '../metric-store.ts';
import type { Page } from '../store.ts';
import { checkLimit, decodeCursor, encodeCursor } from '../cursor.ts';
import { identityOf, matchesSeries, seenTime } from '../series-key.ts';
import type { Database, Row } from './database.ts';
import { storableText } from './storable-text.ts';
import { FIRST_TIME_MS, LAST_TIME_MS } from './metric-time.ts';

const PAGE_ROWS = 1000;
/** They are columns, and known by these names among labels. */
const ENTITY_LABELS = new Set(['service', 'environment', 'namespace']);

/** A series as it is stored, with its id. */
export interface StoredSeries {
  id: number;
  key: SeriesKey;
}

type Position = readonly [name: string, id: number];

export function storableLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [storableText(name), storableText(value)]));
}

/** What a series is known by in the table: of one length, as an index wants it, and of all that was sent. */
export function identityHash(key: SeriesKey): string {
  return createHash('sha256').update(identityOf(key)).digest('base64url');
}

function seriesOfRow(row: Row): StoredSeries {
  const { id, name, kind, unit, service, environment, namespace, labels } = row as unknown as SeriesKey & { id: number };
  return { id, key: { name, kind, unit, service, environment, namespace, labels } };
}

/** Conditions that let pass what the filter means and more: the rest only `matchesSeries` tells. */
function conditionsOf({ names = [], service, labels = {} }: SeriesFilter): { conditions: string[]; values: unknown[] } {
  const conditions = ['(name, id) > ($1, $2)'];
  const values: unknown[] = [];
  const placeholder = (value: unknown): string => `$${values.push(value) + 2}`;
  if (names.length > 0) conditions.push(`name = ANY(${placeholder(names.map(storableText))})`);
  if (service !== undefined) {
    // A bare name, or the last part of an entity id; which of both it is only the row tells.
    const either = [service, parseEntityId(service).service].map(storableText);
    conditions.push(`service = ANY(${placeholder(either)})`);
  }
  const wanted = Object.entries(labels).filter(([name, value]) => value !== '' && !ENTITY_LABELS.has(name));
  if (wanted.length > 0)
    conditions.push(`labels @> ${placeholder(JSON.stringify(storableLabels(Object.fromEntries(wanted))))}::jsonb`);
  return { conditions, values };
}

/** Stored series that pass the filter, in order of name and id, from behind `after` on. */
export async function* findSeries(
  database: Database,
  filter: SeriesFilter,
  after: Position = ['', 0],
): AsyncGenerator<StoredSeries> {
  const { conditions, values } = conditionsOf(filter);
  const sql = `SELECT id, name, kind, unit, service, environment, namespace, labels FROM metric_series
    WHERE ${conditions.join(' AND ')} ORDER BY name, id LIMIT ${PAGE_ROWS}`;
  const { service } = filter;
  const meant = {
    ...(service === undefined ? {} : { service: storableText(service) }),
    labels: storableLabels(filter.labels ?? {}),
  };
  for (let position = after; ;) {
    const { rows } = await database.query(sql, [storableText(position[0]), position[1], ...values]);
    for (const row of rows) {
      const series = seriesOfRow(row);
      position = [series.key.name, series.id];
      if (matchesSeries(meant, series.key)) yield series;
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

/** A page of series with the times of their first and last point. */
export async function listSeries(database: Database, query: SeriesQuery): Promise<Page<SeriesSummary>> {
  const limit = checkLimit(query.limit);
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, ['string', 'number']);
  const found: StoredSeries[] = [];
  let hasMore = false;
  for await (const series of findSeries(database, query, after)) {
    hasMore = found.length === limit;
    if (hasMore) break;
    found.push(series);
  }
  const seen = await seenTimes(
    database,
    found.map(({ id }) => id),
  );
  const items = found.flatMap(({ id, key }) => {
    const times = seen.get(id);
    // Removed since it was found.
    return times === undefined ? [] : [{ ...key, firstSeen: seenTime(times.firstMs), lastSeen: seenTime(times.lastMs) }];
  });
  const last = found.at(-1);
  return { items, nextCursor: hasMore && last ? encodeCursor([last.key.name, last.id]) : null };
}

interface SeenTimes {
  firstMs: number;
  lastMs: number;
}

/** The last time of the row may be behind: what came since is looked up. */
async function seenTimes(database: Database, ids: readonly number[]): Promise<Map<number, SeenTimes>> {
  const { rows } = await database.query(
    `SELECT id, first_seen_ms, greatest(last_seen_ms, (extract(epoch FROM newest.time) * 1000)::double precision) AS last_seen_ms
     FROM metric_series LEFT JOIN LATERAL (
       SELECT time FROM metrics WHERE series = id AND last_seen_ms BETWEEN $2 AND $3
         AND time > to_timestamp(least(greatest(last_seen_ms, $2), $3) / 1000) ORDER BY time DESC LIMIT 1
     ) newest ON true WHERE id = ANY($1)`,
    [ids, FIRST_TIME_MS, LAST_TIME_MS],
  );
  return new Map(
    rows.map((row) => [Number(row['id']), { firstMs: row['first_seen_ms'] as number, lastMs: row['last_seen_ms'] as number }]),
  );
}
