import type { DatabaseSync } from 'node:sqlite';
import { transaction } from './database.ts';
import { deleteDocuments } from './documents.ts';
import { deleteModels } from './models.ts';
import { HOUR_MS, rollupKey } from '../rollup/rollup-key.ts';
import { deleteTemplates } from './templates.ts';

/**
 * Removes what is older than `beforeMs` and gives the room back to the disk. Rollups go by whole hours, so that minute and
 * hour rows always agree. Entities without any row left go too, if `entities` says so.
 */
export function removeBefore(database: DatabaseSync, beforeMs: number, { entities }: { entities: boolean }): void {
  const hour = Math.floor(beforeMs / HOUR_MS);
  transaction(database, () => {
    database.prepare('DELETE FROM minute_rollup WHERE key < ?').run(rollupKey(hour * 60, 0));
    database.prepare('DELETE FROM hour_rollup WHERE key < ?').run(rollupKey(hour, 0));
    database.prepare('DELETE FROM open_hour WHERE key < ?').run(rollupKey(hour, 0));
    if (entities) database.prepare('DELETE FROM entity WHERE last_seen_ms < ?').run(hour * HOUR_MS);
    deleteTemplates(database, beforeMs);
    deleteDocuments(database, beforeMs);
    deleteModels(database, beforeMs);
  });
  // Deleted pages go to the end of the file and off it; the file itself shrinks when the write-ahead log is copied back.
  database.exec('PRAGMA incremental_vacuum');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
