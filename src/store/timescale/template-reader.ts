import { entityMatches } from '../../model/entity.ts';
import { checkLimit } from '../cursor.ts';
import { MINUTE_MS } from '../rollup/rollup-key.ts';
import type { TemplateQuery, TemplateSummary } from '../store.ts';
import { summaryOf } from '../template-summary.ts';
import type { SummaryRow } from '../template-summary.ts';
import type { Session } from './database.ts';
import { Conditions } from './event-query.ts';

/**
 * Templates with occurrences in the minutes of [fromMs, toMs), most frequent first. First and last seen are those ever
 * seen within the retention, to the minute, so that a reader can tell a new template from a risen one.
 */
export async function listTemplates(session: Session, query: TemplateQuery): Promise<TemplateSummary[]> {
  const limit = checkLimit(query.limit);
  const where = new Conditions();
  where.add('c.minute_ms >= ?::float8', Math.floor(query.fromMs / MINUTE_MS) * MINUTE_MS);
  where.add('c.minute_ms < ?::float8', query.toMs);
  if (query.service !== undefined) {
    const { service } = query;
    const { rows } = await session.query('SELECT DISTINCT entity FROM templates');
    const names = rows.map((row) => row['entity'] as string).filter((entity) => entityMatches(entity, service));
    where.add('t.entity = ANY(?::text[])', names);
  }
  const bound = where.bind(limit);
  const { rows } = await session.query(
    `SELECT t.entity, t.hash, t.template, t.example, t.first_seen_ms, t.last_seen_ms, sum(c.count)::float8 AS count
     FROM template_counts c JOIN templates t ON t.id = c.template WHERE ${where.sql}
     GROUP BY t.id ORDER BY count DESC, t.entity COLLATE "C", t.hash COLLATE "C" LIMIT ${bound}`,
    where.values,
  );
  return (rows as unknown as SummaryRow[]).map(summaryOf);
}
