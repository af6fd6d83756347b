import { HeliosError } from '../lib/errors.ts';

const MAX_LIMIT = 1000;
/** Marks the format, so that a cursor of an older program is refused, not misread. */
const VERSION = 1;

type FieldType = 'number' | 'string';
type FieldOf<T extends FieldType> = T extends 'number' ? number : string;
type Fields<T extends readonly FieldType[]> = { -readonly [I in keyof T]: FieldOf<T[I]> };

export function malformedCursor(): HeliosError {
  return new HeliosError('invalid_argument', 'cannot read the cursor: it is malformed', { details: { field: 'cursor' } });
}

/** For a cursor that points at what retention has removed since. */
export function goneCursor(): HeliosError {
  const sentence = 'cannot go on from this cursor: retention has removed what it points at';
  return new HeliosError('gone', sentence, { details: { field: 'cursor' } });
}

/** An opaque, URL-safe page cursor over numbers and strings. */
export function encodeCursor(fields: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify([VERSION, ...fields])).toString('base64url');
}

/** The fields of a cursor, checked against their types; `invalid_argument` naming "cursor" when malformed. */
export function decodeCursor<const T extends readonly FieldType[]>(cursor: string, types: T): Fields<T> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw malformedCursor();
  }
  if (!Array.isArray(parsed) || parsed.length !== types.length + 1 || parsed[0] !== VERSION) throw malformedCursor();
  const fields: unknown[] = parsed.slice(1);
  if (!types.every((type, i) => typeof fields[i] === type)) throw malformedCursor();
  return fields as Fields<T>;
}

export function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new HeliosError('invalid_argument', `cannot list ${limit} items: the limit is 1 to ${MAX_LIMIT}`, {
    details: { field: 'limit' },
  });
}
