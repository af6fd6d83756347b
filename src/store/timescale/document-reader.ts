import { checkLimit } from '../cursor.ts';
import { encodeListCursor, listPosition, servicesOwner } from '../document-row.ts';
import type { DocumentKind, Documents, ListQuery, Page } from '../store.ts';
import { searchedWords } from '../report-words.ts';
import type { Session } from './database.ts';
import { Conditions } from './event-query.ts';
import { storableText } from './storable-text.ts';

/** One page of documents and one more, in the order of the index. */
export function listStatement(kind: DocumentKind, query: ListQuery): { sql: string; values: unknown[] } {
  const where = new Conditions();
  where.add('kind = ?', kind);
  if (query.fromMs !== undefined) where.add('time_ms >= ?::float8', query.fromMs);
  if (query.toMs !== undefined) where.add('time_ms < ?::float8', query.toMs);
  if (query.status !== undefined) where.add('status = ?', storableText(query.status));
  if (query.verdict !== undefined) where.add("body->>'verdict' = ?", query.verdict);
  if (query.text !== undefined) {
    // Letters and digits alone: nothing in it means anything to the type's own syntax.
    const words = searchedWords(query.text).map((word) => `'${word}':*`);
    where.add('words @@ ?::tsquery', words.join(' & '));
  }
  if (query.service !== undefined) {
    where.add(
      'EXISTS (SELECT 1 FROM document_services s WHERE s.kind = ? AND s.name = ? AND s.key = documents.key)',
      servicesOwner(kind),
      storableText(query.service),
    );
  }
  const position = listPosition(query);
  if (position) where.add('(time_ms, key) < (?::float8, ?::text)', position.timeMs, storableText(position.key));
  const limit = where.bind(checkLimit(query.limit) + 1);
  const sql = `SELECT key, time_ms, body FROM documents WHERE is_newest AND ${where.sql} ORDER BY time_ms DESC, key DESC LIMIT ${limit}`;
  return { sql, values: where.values };
}

/** Newest first; reports appear in their newest version, and under the services of their incident. */
export async function listDocuments<K extends DocumentKind>(
  session: Session,
  kind: K,
  query: ListQuery,
): Promise<Page<Documents[K]>> {
  const { sql, values } = listStatement(kind, query);
  const rows = (await session.query(sql, values)).rows as unknown as { key: string; time_ms: number; body: Documents[K] }[];
  const last = rows.length > query.limit ? rows[query.limit - 1] : undefined;
  return {
    items: rows.slice(0, query.limit).map(({ body }) => body),
    nextCursor: last ? encodeListCursor({ timeMs: last.time_ms, key: last.key }) : null,
  };
}

export async function getDocument<K extends DocumentKind>(
  session: Session,
  kind: K,
  key: string,
  version?: number,
): Promise<Documents[K] | undefined> {
  const where = new Conditions();
  where.add('kind = ? AND key = ?', kind, storableText(key));
  if (version === undefined) where.add('is_newest');
  else where.add('version = ?', version);
  const { rows } = await session.query(`SELECT body FROM documents WHERE ${where.sql}`, where.values);
  return rows[0]?.['body'] as Documents[K] | undefined;
}
