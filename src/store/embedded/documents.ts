import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { parseEntityId } from '../../model/entity.ts';
import type { DocumentKind, Documents, ListQuery, Page } from '../store.ts';
import { checkLimit } from '../cursor.ts';
import { documentRow, encodeListCursor, listPosition, servicesOwner } from '../document-row.ts';
import { searchedWords } from '../report-words.ts';

/** Stores documents; the caller holds the transaction. */
export class DocumentWriter {
  readonly #upsert: StatementSync;
  readonly #markNewest: StatementSync;
  readonly #deleteServices: StatementSync;
  readonly #insertService: StatementSync;

  constructor(database: DatabaseSync) {
    this.#upsert = database.prepare(
      `INSERT INTO document (kind, key, version, is_newest, time_ms, status, body) VALUES (?, ?, ?, 1, ?, ?, ?)
       ON CONFLICT (kind, key, version) DO UPDATE SET time_ms = excluded.time_ms, status = excluded.status, body = excluded.body`,
    );
    this.#markNewest = database.prepare(
      `UPDATE document SET is_newest = (version = (SELECT max(version) FROM document WHERE kind = ?1 AND key = ?2))
       WHERE kind = ?1 AND key = ?2`,
    );
    this.#deleteServices = database.prepare('DELETE FROM document_service WHERE kind = ? AND key = ?');
    this.#insertService = database.prepare('INSERT OR IGNORE INTO document_service VALUES (?, ?, ?)');
  }

  put<K extends DocumentKind>(kind: K, document: Documents[K]): void {
    const row = documentRow(kind, document);
    this.#upsert.run(kind, row.key, row.version, row.timeMs, row.status, JSON.stringify(document));
    if (kind === 'report') {
      this.#markNewest.run(kind, row.key);
      return;
    }
    this.#deleteServices.run(kind, row.key);
    for (const service of row.services) {
      this.#insertService.run(kind, row.key, service);
      this.#insertService.run(kind, row.key, parseEntityId(service).service);
    }
  }
}

/** Newest first; reports appear in their newest version, and under the services of their incident. */
export function listDocuments<K extends DocumentKind>(database: DatabaseSync, kind: K, query: ListQuery): Page<Documents[K]> {
  const limit = checkLimit(query.limit);
  const conditions = ['kind = ?', 'is_newest = 1'];
  const values: SQLInputValue[] = [kind];
  const where = (condition: string, ...bound: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (query.fromMs !== undefined) where('time_ms >= ?', query.fromMs);
  if (query.toMs !== undefined) where('time_ms < ?', query.toMs);
  if (query.status !== undefined) where('status = ?', query.status);
  if (query.verdict !== undefined) where("body ->> '$.verdict' = ?", query.verdict);
  if (query.text !== undefined) {
    const words = searchedWords(query.text).map((word) => `"${word}"*`);
    where('id IN (SELECT rowid FROM report_text WHERE report_text MATCH ?)', words.join(' AND '));
  }
  if (query.service !== undefined) {
    where(
      'EXISTS (SELECT 1 FROM document_service s WHERE s.kind = ? AND s.key = document.key AND s.name = ?)',
      servicesOwner(kind),
      query.service,
    );
  }
  const position = listPosition(query);
  if (position) where('(time_ms, key) < (?, ?)', position.timeMs, position.key);
  const sql = `SELECT key, time_ms, body FROM document WHERE ${conditions.join(' AND ')} ORDER BY time_ms DESC, key DESC LIMIT ?`;
  const rows = database.prepare(sql).all(...values, limit + 1) as unknown as { key: string; time_ms: number; body: string }[];
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(({ body }) => JSON.parse(body) as Documents[K]),
    nextCursor: last ? encodeListCursor({ timeMs: last.time_ms, key: last.key }) : null,
  };
}

export function getDocument<K extends DocumentKind>(
  database: DatabaseSync,
  kind: K,
  key: string,
  version?: number,
): Documents[K] | undefined {
  const which = version === undefined ? 'is_newest = 1' : 'version = ?';
  const statement = database.prepare(`SELECT body FROM document WHERE kind = ? AND key = ? AND ${which}`);
  const row = statement.get(kind, key, ...(version === undefined ? [] : [version])) as { body: string } | undefined;
  return row && (JSON.parse(row.body) as Documents[K]);
}

/** Removes documents older than `beforeMs`; those still firing or open stay. */
export function deleteDocuments(database: DatabaseSync, beforeMs: number): void {
  database.prepare("DELETE FROM document WHERE time_ms < ? AND status NOT IN ('firing', 'open', 'acknowledged')").run(beforeMs);
  database.exec(
    `DELETE FROM document_service WHERE NOT EXISTS
       (SELECT 1 FROM document d WHERE d.kind = document_service.kind AND d.key = document_service.key)`,
  );
}
