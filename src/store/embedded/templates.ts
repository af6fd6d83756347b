import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { entityMatches } from '../../model/entity.ts';
import type { TemplateCount } from '../../model/template.ts';
import type { TemplateQuery, TemplateSummary } from '../store.ts';
import { summaryOf } from '../template-summary.ts';
import type { SummaryRow } from '../template-summary.ts';
import { checkLimit } from '../cursor.ts';
import { MINUTE_MS } from '../rollup/rollup-key.ts';

/** Adds template counts to what is stored for their minute; the caller holds the transaction. */
export class TemplateWriter {
  readonly #upsertTemplate: StatementSync;
  readonly #addCount: StatementSync;

  constructor(database: DatabaseSync) {
    this.#upsertTemplate = database.prepare(
      `INSERT INTO template (entity, hash, template, example, first_seen_ms, last_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
       ON CONFLICT (entity, hash) DO UPDATE SET
         first_seen_ms = min(first_seen_ms, excluded.first_seen_ms), last_seen_ms = max(last_seen_ms, excluded.last_seen_ms)
       RETURNING id`,
    );
    this.#addCount = database.prepare(
      'INSERT INTO template_count VALUES (?, ?, ?) ON CONFLICT (minute_ms, template) DO UPDATE SET count = count + excluded.count',
    );
  }

  add(count: TemplateCount): void {
    const { entity, templateId, template, example, minuteMs } = count;
    const row = this.#upsertTemplate.get(entity, templateId, template, example, minuteMs) as { id: number };
    this.#addCount.run(minuteMs, row.id, count.count);
  }
}

/**
 * Templates with occurrences in the minutes of [fromMs, toMs), most frequent first. First and last seen are those ever
 * seen within the retention, to the minute, so that a reader can tell a new template from a risen one.
 */
export function listTemplates(database: DatabaseSync, query: TemplateQuery): TemplateSummary[] {
  const conditions = ['c.minute_ms >= ?', 'c.minute_ms < ?'];
  const values: SQLInputValue[] = [Math.floor(query.fromMs / MINUTE_MS) * MINUTE_MS, query.toMs];
  if (query.service !== undefined) {
    const { service } = query;
    const names = database.prepare('SELECT DISTINCT entity FROM template').all() as { entity: string }[];
    const matching = names.map((row) => row.entity).filter((entity) => entityMatches(entity, service));
    conditions.push('t.entity IN (SELECT value FROM json_each(?))');
    values.push(JSON.stringify(matching));
  }
  const rows = database
    .prepare(
      `SELECT t.entity, t.hash, t.template, t.example, t.first_seen_ms, t.last_seen_ms, sum(c.count) AS count
       FROM template_count c JOIN template t ON t.id = c.template WHERE ${conditions.join(' AND ')}
       GROUP BY t.id ORDER BY count DESC, t.entity, t.hash LIMIT ?`,
    )
    .all(...values, checkLimit(query.limit)) as unknown as SummaryRow[];
  return rows.map(summaryOf);
}

export function deleteTemplates(database: DatabaseSync, beforeMs: number): void {
  database.prepare('DELETE FROM template_count WHERE minute_ms < ?').run(beforeMs);
  database.prepare('DELETE FROM template WHERE last_seen_ms < ?').run(beforeMs);
}
