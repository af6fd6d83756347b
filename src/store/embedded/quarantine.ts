import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DatabaseKind, DatabaseOptions } from './database.ts';
import { databasePath, openDatabase, STORE_DATABASE } from './database.ts';
import { isCorrupt } from './sqlite-errors.ts';

const SIDE_FILES = ['-wal', '-shm'];

/** Tells the next start that the database was found damaged while it ran. */
function markerPath(dir: string, kind: DatabaseKind): string {
  return `${databasePath(dir, kind)}-damaged`;
}

export function markDamaged(dir: string, kind = STORE_DATABASE): void {
  writeFileSync(markerPath(dir, kind), '');
}

/** Renames a damaged database and its side files; returns where it went. */
function setAside(dir: string, kind: DatabaseKind, nowMs: number): string {
  const path = databasePath(dir, kind);
  const target = `${path}.corrupt-${isoTime(nowMs).replaceAll(/[^0-9TZ]/g, '')}`;
  if (existsSync(path)) renameSync(path, target);
  for (const suffix of SIDE_FILES) if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  rmSync(markerPath(dir, kind), { force: true });
  return target;
}

/**
 * Opens the database; one that is damaged is renamed, named in an error line, and replaced by an empty one, which the
 * log then fills again. Only the writer does this: two threads renaming could set aside each other's new file.
 */
export function openOrReplace(options: DatabaseOptions & { clock: Clock; logger: Logger }): DatabaseSync {
  const { kind = STORE_DATABASE } = options;
  try {
    if (!existsSync(markerPath(options.dir, kind))) return openDatabase(options);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
  }
  const target = setAside(options.dir, kind, options.clock.nowMs());
  options.logger.error('the database is damaged: set aside, its content is rebuilt from the log', {
    file: databasePath(options.dir, kind),
    setAsideAs: target,
    notRebuilt: kind.notRebuilt,
  });
  return openDatabase(options);
}
