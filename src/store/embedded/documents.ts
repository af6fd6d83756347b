import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { HeliosError } from '../../lib/errors.ts';
import { parseEntityId } from '../../model/entity.ts';
import type { DocumentKind, Documents, ListQuery, Page } from '../store.ts';
import { checkLimit, decodeCursor, encodeCursor } from '../cursor.ts';

interface Row {
  key: string;
  version: number;
  timeMs: number;
  status: string;
  services: string[];
}

/** What a document is stored under, by kind. */
const ROWS: { [K in DocumentKind]: (document: Documents[K]) => Row } = {
  anomaly: (anomaly) => ({
    key: anomaly.id,
    version: 1,
    timeMs: Date.parse(anomaly.startedAt),
    status: anomaly.state,
    services: [anomaly.service],
  }),
  incident: (incident) => ({
    key: incident.id,
    version: 1,
    timeMs: Date.parse(incident.startedAt),
    status: incident.status,
    services: incident.services,
  }),
  change: (change) => ({
    key: change.id,
    version: 1,
    timeMs: Date.parse(change.at),
    status: change.type,
    services: [change.service],
  }),
  report: (report) => ({
    key: report.incidentId,
    version: report.version,
    timeMs: Date.parse(report.createdAt),
    status: report.phase,
    services: [],
  }),
};

function rowOf<K extends DocumentKind>(kind: K, document: Documents[K]): Row {
  const row = ROWS[kind](document);
  if (Number.isFinite(row.timeMs)) return row;
  throw new HeliosError('invalid_argument', `cannot store ${kind} ${row.key}: its time is not ISO 8601`);
}

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
    const row = rowOf(kind, document);
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

const LIST_CURSOR = ['number', 'string'] as const;

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
  if (query.service !== undefined) {
    const owner = kind === 'report' ? 'incident' : kind;
    where(
      'EXISTS (SELECT 1 FROM document_service s WHERE s.kind = ? AND s.key = document.key AND s.name = ?)',
      owner,
      query.service,
    );
  }
  if (query.cursor !== undefined) {
    const [timeMs, key] = decodeCursor(query.cursor, LIST_CURSOR);
    where('(time_ms, key) < (?, ?)', timeMs, key);
  }
  const sql = `SELECT key, time_ms, body FROM document WHERE ${conditions.join(' AND ')} ORDER BY time_ms DESC, key DESC LIMIT ?`;
  const rows = database.prepare(sql).all(...values, limit + 1) as unknown as { key: string; time_ms: number; body: string }[];
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(({ body }) => JSON.parse(body) as Documents[K]),
    nextCursor: last ? encodeCursor([last.time_ms, last.key]) : null,
  };
}

export function getDocument<K extends DocumentKind>(database: DatabaseSync, kind: K, key: string): Documents[K] | undefined {
  const statement = database.prepare('SELECT body FROM document WHERE kind = ? AND key = ? AND is_newest = 1');
  const row = statement.get(kind, key) as { body: string } | undefined;
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
