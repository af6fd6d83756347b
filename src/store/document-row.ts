import { HeliosError } from '../lib/errors.ts';
import type { DocumentKind, Documents, ListQuery } from './store.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** What a document is stored under. */
export interface DocumentRow {
  key: string;
  version: number;
  timeMs: number;
  status: string;
  /** Entity ids under which it is listed. */
  services: string[];
}

const ROWS: { [K in DocumentKind]: (document: Documents[K]) => DocumentRow } = {
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

/** `invalid_argument` when its time is none. */
export function documentRow<K extends DocumentKind>(kind: K, document: Documents[K]): DocumentRow {
  const row = ROWS[kind](document);
  if (Number.isFinite(row.timeMs)) return row;
  throw new HeliosError('invalid_argument', `cannot store ${kind} ${row.key}: its time is not ISO 8601`);
}

/** Whose services a kind is listed under: a report has those of its incident. */
export function servicesOwner(kind: DocumentKind): DocumentKind {
  return kind === 'report' ? 'incident' : kind;
}

/** Where a page of documents begins: after this one, newest first by time and then by key. */
export interface ListPosition {
  timeMs: number;
  key: string;
}

export function encodeListCursor({ timeMs, key }: ListPosition): string {
  return encodeCursor([timeMs, key]);
}

/** Undefined for the first page; a malformed cursor is `invalid_argument`. */
export function listPosition({ cursor }: Pick<ListQuery, 'cursor'>): ListPosition | undefined {
  if (cursor === undefined) return undefined;
  const [timeMs, key] = decodeCursor(cursor, ['number', 'string']);
  return { timeMs, key };
}
