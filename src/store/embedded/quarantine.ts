import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../lib/clock.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { DatabaseOptions } from './database.ts';
import { databasePath, openDatabase } from './database.ts';
import { isCorrupt } from './sqlite-errors.ts';

const SIDE_FILES = ['-wal', '-shm'];

/** Tells the next start that the database was found damaged while it ran. */
function markerPath(dir: string): string {
  return `${databasePath(dir)}-damaged`;
}

export function markDamaged(dir: string): void {
  writeFileSync(markerPath(dir), '');
}

/** Renames a damaged database and its side files; returns where it went. */
function setAside(dir: string, nowMs: number): string {
  const path = databasePath(dir);
  const target = `${path}.corrupt-${isoTime(nowMs).replaceAll(/[^0-9TZ]/g, '')}`;
  if (existsSync(path)) renameSync(path, target);
  for (const suffix of SIDE_FILES) if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  rmSync(markerPath(dir), { force: true });
  return target;
}

/**
 * Opens the database; one that is damaged is renamed, named in an error line, and replaced by an empty one, which the
 * log then fills again. Only the writer does this: two threads renaming could set aside each other's new file.
 */
export function openOrReplace(options: DatabaseOptions & { clock: Clock; logger: Logger }): DatabaseSync {
  try {
    if (!existsSync(markerPath(options.dir))) return openDatabase(options);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
  }
  const target = setAside(options.dir, options.clock.nowMs());
  options.logger.error('the database is damaged: set aside, its content is rebuilt from the log', {
    file: databasePath(options.dir),
    setAsideAs: target,
    notRebuilt: 'reports, posted changes, acknowledgements, and whatever stems from events that retention has dropped',
  });
  return openDatabase(options);
}
