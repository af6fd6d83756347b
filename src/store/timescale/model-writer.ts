import type { StoredModel } from '../../model/model-record.ts';
import type { Session } from './database.ts';
import { storableJson } from './storable-text.ts';

/** One at a time: two writers must not both leave a version of a service active. Held until the transaction ends. */
const LOCK_MODELS = `SELECT pg_advisory_xact_lock(hashtextextended('helios models', 0))`;

export async function lockModels(session: Session): Promise<void> {
  await session.query(LOCK_MODELS);
}

/**
 * Stores a model under the next version, which it returns; one whose state is active becomes its service's only active one. The caller
 * holds the transaction.
 */
export async function addModel(session: Session, { record, payload }: StoredModel): Promise<string> {
  await lockModels(session);
  const { rows } = await session.query(
    'INSERT INTO models (service, trained_at_ms, record, payload) VALUES ($1, $2, $3::jsonb, $4) RETURNING number',
    [record.service, Date.parse(record.trainedAt), storableJson(record), payload],
  );
  const number = Number(rows[0]?.['number']);
  if (record.state === 'active') await activateModel(session, number, record.service);
  return `v${number}`;
}

/** Makes it the one active version of its service; the caller holds the transaction, and `lockModels` in it. */
export async function activateModel(session: Session, number: number, service: string): Promise<void> {
  await session.query(
    `UPDATE models SET active = (number = $1),
       activated = CASE WHEN number = $1 THEN (SELECT max(activated) FROM models) + 1 ELSE activated END
     WHERE service = $2`,
    [number, service],
  );
}

/** Removes models trained before `beforeMs` that are not active. */
export async function deleteModels(session: Session, beforeMs: number): Promise<void> {
  await session.query('DELETE FROM models WHERE trained_at_ms < $1 AND NOT active', [beforeMs]);
}
