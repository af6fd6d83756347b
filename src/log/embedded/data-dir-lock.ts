import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HeliosError } from '../../lib/errors.ts';

const SQLITE_BUSY = 5;

/**
 * Takes the data directory for this process. Node.js has no flock, and a file that names a process outlives it; SQLite's
 * exclusive transaction is a kernel lock that ends with the process however it dies, on every platform. The file beside it
 * only tells people who holds it. Throws `data_dir_locked` or `data_dir_unusable`.
 */
export function lockDataDir(dir: string): Disposable {
  const pidFile = path.join(dir, 'lock.pid');
  const database = openLock(dir, pidFile);
  return {
    [Symbol.dispose]() {
      fs.rmSync(pidFile, { force: true });
      database.close();
    },
  };
}

function openLock(dir: string, pidFile: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    fs.mkdirSync(dir, { recursive: true });
    // Also says early and clearly that nothing can be written here.
    fs.accessSync(dir, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    database = new DatabaseSync(path.join(dir, 'lock'), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    fs.writeFileSync(pidFile, `${process.pid}\n`);
    return database;
  } catch (error) {
    database?.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) {
      const holder = fs.existsSync(pidFile) ? fs.readFileSync(pidFile, 'utf8').trim() : '';
      const who = holder === '' ? 'another process' : `process ${holder}`;
      throw new HeliosError('data_dir_locked', `cannot open data directory ${dir}: ${who} has it open`, { cause: error });
    }
    throw unusable(dir, error);
  }
}

export function unusable(dir: string, cause: unknown): HeliosError {
  return new HeliosError('data_dir_unusable', `cannot use data directory ${dir}: ${(cause as Error).message}`, { cause });
}
