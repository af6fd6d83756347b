import type { ModelRecord, StoredModel } from '../../model/model-record.ts';
import { modelNumber, modelRecord, noRollBack, unknownModel } from '../model-version.ts';
import type { ModelStore } from '../store.ts';
import type { Database, Row, Session } from './database.ts';
import { storableText } from './storable-text.ts';
import { activateModel, addModel, lockModels } from './model-writer.ts';
import { snapshot } from './snapshot.ts';

function recordOf(row: Row): ModelRecord {
  return modelRecord(row['record'] as ModelRecord, Number(row['number']), row['active'] as boolean);
}

async function activate(session: Session, version: string): Promise<ModelRecord> {
  await lockModels(session);
  const { rows } = await session.query('SELECT number, service, record FROM models WHERE number = $1', [modelNumber(version)]);
  const row = rows[0];
  if (!row) throw unknownModel(version);
  await activateModel(session, Number(row['number']), row['service'] as string);
  return recordOf({ ...row, active: true });
}

async function rollBack(session: Session, service: string): Promise<ModelRecord> {
  await lockModels(session);
  const { rows } = await session.query(
    `SELECT number, active, record FROM models WHERE service = $1 AND activated > 0 ORDER BY active DESC, activated DESC LIMIT 2`,
    [storableText(service)],
  );
  const [current, before] = rows;
  if (current?.['active'] !== true) throw noRollBack(service, 'not_found');
  if (!before) throw noRollBack(service, 'conflict');
  await session.query(
    `UPDATE models SET active = (number = $2), activated = CASE WHEN number = $1 THEN 0 ELSE activated END WHERE number IN ($1, $2)`,
    [Number(current['number']), Number(before['number'])],
  );
  return recordOf({ ...before, active: true });
}

async function getModel(session: Session, version: string): Promise<StoredModel | undefined> {
  const { rows } = await session.query('SELECT number, active, record, payload FROM models WHERE number = $1', [
    modelNumber(version),
  ]);
  return rows[0] && { record: recordOf(rows[0]), payload: rows[0]['payload'] as Uint8Array };
}

async function listModels(session: Session): Promise<ModelRecord[]> {
  const { rows } = await session.query('SELECT number, active, record FROM models ORDER BY number DESC');
  return rows.map(recordOf);
}

/** Models in the database, whichever process asks. */
export function openModelStore(database: Database): ModelStore {
  return {
    list: () => snapshot(database, listModels),
    get: (version) => snapshot(database, (session) => getModel(session, version)),
    add: (model) => database.transaction((session) => addModel(session, model)),
    activate: (version) => database.transaction((session) => activate(session, version)),
    rollBack: (service) => database.transaction((session) => rollBack(session, service)),
  };
}
