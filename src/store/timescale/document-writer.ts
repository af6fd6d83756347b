import type { Anomaly } from '../../model/anomaly.ts';
import type { Report } from '../../model/report.ts';
import { parseEntityId } from '../../model/entity.ts';
import { documentRow } from '../document-row.ts';
import { reportWords } from '../report-words.ts';
import type { DocumentKind, Documents } from '../store.ts';
import type { Session } from './database.ts';
import { storableJson, storableText } from './storable-text.ts';

/**
 * Inserts or replaces documents inside the caller's transaction; of several with one key and version the last one stays. `invalid_argument`
 * when the time of one is none.
 */
export async function putDocuments<K extends DocumentKind>(
  session: Session,
  kind: K,
  documents: readonly Documents[K][],
): Promise<void> {
  if (documents.length === 0) return;
  const byKey = new Map(
    documents.map((document) => {
      const row = documentRow(kind, document);
      const body = storableJson(document);
      return [`${row.version} ${row.key}`, { ...row, body }];
    }),
  );
  const rows = [...byKey.values()].map((row) => ({ ...row, key: storableText(row.key) }));
  const keys = [...new Set(rows.map(({ key }) => key))].sort();
  // Writers of one key wait for each other, in one order, so that one version alone is the newest.
  await session.query('SELECT pg_advisory_xact_lock(hashtext(k)) FROM unnest($1::text[]) AS k ORDER BY hashtext(k)', [
    keys.map((key) => `${kind} ${key}`),
  ]);
  await session.query(
    `INSERT INTO documents (kind, key, version, is_newest, time_ms, status, body)
     SELECT $1, d.key, d.version, true, d.time_ms, d.status, d.body::jsonb
     FROM unnest($2::text[], $3::integer[], $4::float8[], $5::text[], $6::text[]) AS d (key, version, time_ms, status, body)
     ON CONFLICT (kind, key, version) DO UPDATE
       SET time_ms = excluded.time_ms, status = excluded.status, body = excluded.body`,
    [
      kind,
      rows.map(({ key }) => key),
      rows.map(({ version }) => version),
      rows.map(({ timeMs }) => timeMs),
      rows.map(({ status }) => storableText(status)),
      rows.map(({ body }) => body),
    ],
  );
  if (kind === 'report') {
    await markNewest(session, kind, keys);
    await putWords(session, documents as readonly Report[]);
  } else await putServices(session, kind, rows, keys);
  if (kind === 'anomaly') await putAnomalies(session, documents as readonly Anomaly[]);
}

/** Removes documents older than `beforeMs`; those still firing or open stay. */
export async function deleteDocuments(session: Session, beforeMs: number): Promise<void> {
  await session.query("DELETE FROM documents WHERE time_ms < $1 AND status NOT IN ('firing', 'open', 'acknowledged')", [
    beforeMs,
  ]);
  await session.query(
    'DELETE FROM document_services s WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.kind = s.kind AND d.key = s.key)',
  );
}

/** Of the versions of a key the highest is the newest, whatever order they came in. */
async function markNewest(session: Session, kind: DocumentKind, keys: readonly string[]): Promise<void> {
  await session.query(
    `UPDATE documents d SET is_newest = (d.version = m.newest), words = NULL
     FROM (SELECT key, max(version) AS newest FROM documents WHERE kind = $1 AND key = ANY($2::text[]) GROUP BY key) m
     WHERE d.kind = $1 AND d.key = m.key AND d.is_newest <> (d.version = m.newest)`,
    [kind, keys],
  );
}

/** What a report is found by, in its newest version. */
async function putWords(session: Session, reports: readonly Report[]): Promise<void> {
  for (const { incidentId, version, markdown } of reports) {
    await session.query(
      `UPDATE documents SET words = array_to_tsvector($3::text[])
       WHERE kind = 'report' AND key = $1 AND version = $2 AND is_newest`,
      [storableText(incidentId), version, reportWords(markdown)],
    );
  }
}

/** The names by which a document is asked for: its services' entity ids and bare names. */
async function putServices(
  session: Session,
  kind: DocumentKind,
  rows: readonly { key: string; services: readonly string[] }[],
  keys: readonly string[],
): Promise<void> {
  const names = rows.flatMap(({ key, services }) =>
    services.flatMap((service) => [
      { key, name: storableText(service) },
      { key, name: storableText(parseEntityId(service).service) },
    ]),
  );
  await session.query('DELETE FROM document_services WHERE kind = $1 AND key = ANY($2::text[])', [kind, keys]);
  await session.query(
    `INSERT INTO document_services (kind, name, key) SELECT $1, s.name, s.key
     FROM unnest($2::text[], $3::text[]) AS s (name, key) ON CONFLICT DO NOTHING`,
    [kind, names.map(({ name }) => name), names.map(({ key }) => key)],
  );
}

/** The same anomalies as rows for SQL. The start of an anomaly is part of its id and does not change. */
async function putAnomalies(session: Session, anomalies: readonly Anomaly[]): Promise<void> {
  const last = [...new Map(anomalies.map((anomaly) => [anomaly.id, anomaly])).values()];
  const column = <K extends keyof Anomaly>(name: K): Anomaly[K][] => last.map((anomaly) => anomaly[name]);
  await session.query(
    `INSERT INTO anomalies (time, id, service, signal, severity, state, stage, score, detected_at, resolved_at, incident_id)
     SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[],
       $9::timestamptz[], $10::timestamptz[], $11::text[])
     ON CONFLICT (time, id) DO UPDATE SET severity = excluded.severity, state = excluded.state, stage = excluded.stage,
       score = excluded.score, detected_at = excluded.detected_at, resolved_at = excluded.resolved_at,
       incident_id = excluded.incident_id`,
    [
      column('startedAt'),
      column('id'),
      column('service').map(storableText),
      column('signal'),
      column('severity'),
      column('state'),
      column('stage'),
      column('score'),
      column('detectedAt'),
      column('resolvedAt'),
      column('incidentId'),
    ],
  );
}
