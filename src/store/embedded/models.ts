import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ModelRecord, StoredModel } from '../../model/model-record.ts';
import { modelNumber, modelRecord, modelVersion, noRollBack, unknownModel } from '../model-version.ts';
import type { ModelStore } from '../store.ts';
import { transaction } from './database.ts';
import { storeError } from './sqlite-errors.ts';

interface ModelRow {
  number: number;
  active: number;
  record: string;
  payload: Uint8Array;
}

function recordOf(row: Omit<ModelRow, 'payload'>): ModelRecord {
  return modelRecord(JSON.parse(row.record) as ModelRecord, row.number, row.active === 1);
}

/** Stores models; the caller holds the transaction. */
export class ModelWriter {
  readonly #insert: StatementSync;
  readonly #setActive: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO model (service, active, trained_at_ms, record, payload) VALUES (?, 0, ?, ?, ?)');
    this.#setActive = database.prepare(
      `UPDATE model SET active = (number = ?1),
         activated = CASE WHEN number = ?1 THEN (SELECT max(activated) FROM model) + 1 ELSE activated END
       WHERE service = ?2`,
    );
  }

  /** Stores under the next version, which it returns; one whose state is active becomes its service's only active one. */
  add({ record, payload }: StoredModel): string {
    const trainedAtMs = Date.parse(record.trainedAt);
    const { lastInsertRowid } = this.#insert.run(record.service, trainedAtMs, JSON.stringify(record), payload);
    if (record.state === 'active') this.#setActive.run(lastInsertRowid, record.service);
    return modelVersion(Number(lastInsertRowid));
  }

  activate(number: number, service: string): void {
    this.#setActive.run(number, service);
  }
}

/** Models over one connection, outside the pipeline. */
export function openModelStore(database: DatabaseSync): ModelStore {
  const writer = new ModelWriter(database);
  const selectAll = database.prepare('SELECT number, active, record FROM model ORDER BY number DESC');
  const selectOne = database.prepare('SELECT number, active, record, payload FROM model WHERE number = ?');
  const selectActivated = database.prepare(
    'SELECT number, active, record FROM model WHERE service = ? AND activated > 0 ORDER BY active DESC, activated DESC LIMIT 2',
  );
  const takeBack = database.prepare(
    'UPDATE model SET active = (number = ?2), activated = CASE WHEN number = ?1 THEN 0 ELSE activated END WHERE number IN (?1, ?2)',
  );
  const find = (version: string): ModelRow | undefined => selectOne.get(modelNumber(version)) as ModelRow | undefined;
  const activate = (version: string): ModelRecord => {
    const row = find(version);
    if (!row) throw unknownModel(version);
    writer.activate(row.number, recordOf(row).service);
    return recordOf({ ...row, active: 1 });
  };
  const rollBack = (service: string): ModelRecord => {
    const [current, before] = selectActivated.all(service) as unknown as (ModelRow | undefined)[];
    if (current?.active !== 1) throw noRollBack(service, 'not_found');
    if (!before) throw noRollBack(service, 'conflict');
    takeBack.run(current.number, before.number);
    return recordOf({ ...before, active: 1 });
  };
  const attempt = async <T>(action: string, work: () => T): Promise<T> => {
    try {
      return work();
    } catch (error) {
      throw storeError(action, error);
    }
  };
  return {
    list: () => attempt('list models', () => (selectAll.all() as unknown as ModelRow[]).map(recordOf)),
    get: (version) =>
      attempt(`read model ${version}`, () => {
        const row = find(version);
        return row && { record: recordOf(row), payload: row.payload };
      }),
    add: (model) => attempt('store a model', () => transaction(database, () => writer.add(model))),
    rollBack: (service) => attempt(`roll back the model of ${service}`, () => transaction(database, () => rollBack(service))),
    activate: (version) => attempt(`activate model ${version}`, () => transaction(database, () => activate(version))),
  };
}

/** Removes models trained before `beforeMs` that are not active. */
export function deleteModels(database: DatabaseSync, beforeMs: number): void {
  database.prepare('DELETE FROM model WHERE trained_at_ms < ? AND active = 0').run(beforeMs);
}
