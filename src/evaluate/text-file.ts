import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { HeliosError } from '../lib/errors.ts';

const PEEK_BYTES = 65_536;

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
const withoutMark = (text: string): string => (text.codePointAt(0) === 0xfeff ? text.slice(1) : text);

/** Whole text of a file, gunzipped when it is gzip, without a byte order mark. Throws `invalid_argument` when it cannot be read. */
export function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return withoutMark((isGzip(bytes) ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch (error) {
    throw new HeliosError('invalid_argument', `cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Beginning of a file's text; the empty string when it is not text that can be read. */
export function peekText(path: string): string {
  const bytes = Buffer.alloc(PEEK_BYTES);
  const file = openSync(path, 'r');
  try {
    const head = bytes.subarray(0, readSync(file, bytes, 0, PEEK_BYTES, 0));
    const text = isGzip(head) ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head;
    return withoutMark(text.toString('utf8'));
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}

/** Cells of a line of comma-separated values; quotes are taken off, and commas inside them kept (RFC 4180). */
export function splitCells(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    cells.push((match[1] ?? match[2] ?? '').replaceAll('""', '"'));
  return cells;
}

/** Lines that are not empty, whatever ends them. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

/** Number of a cell; an empty cell or one that is no number is a missing value. */
export function numberOf(cell: string | undefined): number {
  return cell === undefined || cell.trim() === '' ? NaN : Number(cell);
}

/** Milliseconds of a stamp: ISO 8601, or a local time without zone, taken as UTC; beyond milliseconds it is cut. */
export function stampMs(text: string): number {
  const stamp = text.trim();
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(stamp) ? stamp : `${stamp.slice(0, 23).replace(' ', 'T')}Z`);
}

/** The file as JSON. Throws `invalid_argument` when it is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof HeliosError) throw error;
    throw new HeliosError('invalid_argument', `cannot read ${path}: ${(error as Error).message}`);
  }
}
