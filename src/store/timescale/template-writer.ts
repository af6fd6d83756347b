import type { TemplateCount } from '../../model/template.ts';
import type { Session } from './database.ts';
import { storableText } from './storable-text.ts';

/** One template of an entity in one commit. */
interface SeenTemplate {
  entity: string;
  hash: string;
  template: string;
  example: string;
  firstMs: number;
  lastMs: number;
  byMinute: Map<number, number>;
}

/** By entity and hash, in an order that all writers share: none waits for one that waits for it. */
function byTemplate(counts: readonly TemplateCount[]): SeenTemplate[] {
  const seen = new Map<string, SeenTemplate>();
  for (const { entity: name, templateId, template, example, minuteMs, count } of counts) {
    const entity = storableText(name);
    const key = `${templateId} ${entity}`;
    let one = seen.get(key);
    if (!one) {
      const texts = { template: storableText(template), example: storableText(example) };
      one = { entity, hash: templateId, ...texts, firstMs: minuteMs, lastMs: minuteMs, byMinute: new Map() };
      seen.set(key, one);
    }
    one.firstMs = Math.min(one.firstMs, minuteMs);
    one.lastMs = Math.max(one.lastMs, minuteMs);
    one.byMinute.set(minuteMs, (one.byMinute.get(minuteMs) ?? 0) + count);
  }
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Adds template counts to what is stored for their minute; the caller holds the transaction. */
export async function addTemplates(session: Session, counts: readonly TemplateCount[]): Promise<void> {
  if (counts.length === 0) return;
  const templates = byTemplate(counts);
  const column = <K extends keyof SeenTemplate>(name: K): SeenTemplate[K][] => templates.map((one) => one[name]);
  const { rows } = await session.query(
    `INSERT INTO templates AS t (entity, hash, template, example, first_seen_ms, last_seen_ms)
     SELECT entity, hash, template, example, first, last
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[]) WITH ORDINALITY
       AS n(entity, hash, template, example, first, last, place) ORDER BY place
     ON CONFLICT (entity, hash) DO UPDATE SET first_seen_ms = least(t.first_seen_ms, excluded.first_seen_ms),
       last_seen_ms = greatest(t.last_seen_ms, excluded.last_seen_ms)
     RETURNING id, entity, hash`,
    [column('entity'), column('hash'), column('template'), column('example'), column('firstMs'), column('lastMs')],
  );
  const ids = new Map(rows.map(({ id, entity, hash }) => [`${String(hash)} ${String(entity)}`, Number(id)]));
  const cells = templates.flatMap(({ entity, hash, byMinute }) =>
    [...byMinute].map(([minuteMs, count]) => ({ minuteMs, id: ids.get(`${hash} ${entity}`) as number, count })),
  );
  cells.sort((a, b) => a.minuteMs - b.minuteMs || a.id - b.id);
  await session.query(
    `INSERT INTO template_counts AS c (minute_ms, template, count)
     SELECT minute, template, count FROM unnest($1::float8[], $2::bigint[], $3::bigint[]) WITH ORDINALITY
       AS n(minute, template, count, place) ORDER BY place
     ON CONFLICT (minute_ms, template) DO UPDATE SET count = c.count + excluded.count`,
    [cells.map(({ minuteMs }) => minuteMs), cells.map(({ id }) => id), cells.map(({ count }) => count)],
  );
}

export async function deleteTemplates(session: Session, beforeMs: number): Promise<void> {
  await session.query('DELETE FROM template_counts WHERE minute_ms < $1', [beforeMs]);
  await session.query('DELETE FROM templates WHERE last_seen_ms < $1', [beforeMs]);
}
