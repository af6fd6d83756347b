import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the tables lie on; where a step differs there is one file for each. */
export type Engine = 'timescale' | 'plain';

export interface Migration {
  number: number;
  /** The file's name. */
  name: string;
  sql: string;
  /** SHA-256 of the file in hex. */
  checksum: string;
}

const FILE = /^(\d{6})(?:\.(timescale|plain))?\.sql$/;
const FOLDER = join(import.meta.dirname, 'migrations');

/** Every step for this engine, in order; numbers start at 1 and have no gaps. */
export function migrationsFor(engine: Engine, folder = FOLDER): Migration[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const [, number, only] = FILE.exec(name) ?? [];
      if (number === undefined || (only !== undefined && only !== engine)) return [];
      const sql = readFileSync(join(folder, name), 'utf8');
      return [{ number: Number(number), name, sql, checksum: createHash('sha256').update(sql).digest('hex') }];
    });
}
