import type { ErrorCode } from '../../lib/errors.ts';
import { HeliosError, systemCode } from '../../lib/errors.ts';

/** Primary result codes (sqlite.org/rescode.html); the low byte of an extended one. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

const CODES: Record<number, ErrorCode> = {
  [SQLITE_BUSY]: 'unavailable',
  [SQLITE_LOCKED]: 'unavailable',
  [SQLITE_READONLY]: 'data_dir_unusable',
  [SQLITE_IOERR]: 'unavailable',
  [SQLITE_CORRUPT]: 'corrupt_data',
  [SQLITE_FULL]: 'disk_full',
  [SQLITE_CANTOPEN]: 'data_dir_unusable',
  [SQLITE_NOTADB]: 'corrupt_data',
};

/** Primary SQLite result code of an error thrown by node:sqlite, or 0. */
function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : 0;
}

/** An error of the database as the rest of the program knows it; `action` completes "cannot …". */
export function storeError(action: string, error: unknown): HeliosError {
  if (error instanceof HeliosError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (systemCode(error) === 'ENOSPC') return new HeliosError('disk_full', `cannot ${action}: the disk is full`, { cause: error });
  const code =
    CODES[resultCode(error)] ?? (systemCode(error).startsWith('E') && resultCode(error) === 0 ? fileCode(error) : 'internal');
  return new HeliosError(code, `cannot ${action}: ${reason}`, { cause: error });
}

function fileCode(error: unknown): ErrorCode {
  return systemCode(error).startsWith('ERR_') ? 'internal' : 'data_dir_unusable';
}

export function isCorrupt(error: unknown): boolean {
  return error instanceof HeliosError ? error.code === 'corrupt_data' : CODES[resultCode(error)] === 'corrupt_data';
}
