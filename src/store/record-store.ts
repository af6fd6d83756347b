import { HeliosError } from '../lib/errors.ts';

/** A small value kept under a key, such as what was delivered to whom. Its value is JSON. */
export interface StoredRecord {
  key: string;
  value: unknown;
  /** Another one after every write of the key, never one that was before. */
  revision: number;
}

export interface RecordWrite {
  key: string;
  /** JSON; undefined removes the record. */
  value: unknown;
  /** That the record must have for the write to happen; 0: there must be none. */
  revision: number;
}

/** What processes agree on among each other: every write says what it expects to find. */
export interface RecordStore {
  /** Those that there are, in any order. */
  get(keys: readonly string[]): Promise<StoredRecord[]>;
  /** By key ascending (of its UTF-8 bytes), those that begin with `prefix` and come after `after`. */
  list(query: { prefix: string; after?: string; limit: number }): Promise<StoredRecord[]>;
  /** All of the writes, or none and false when a revision is another. Keys are distinct; a bad one is `invalid_argument`. */
  write(writes: readonly RecordWrite[]): Promise<boolean>;
}

const MAX_KEY_LENGTH = 1024;
/** Somebody else's write has gone through each time. */
const MAX_TRIES = 200;
/** After every other character of a key. */
const LAST_CHARACTER = '\u{10ffff}';

/** Throws `invalid_argument`. */
export function checkKeys(keys: readonly string[]): void {
  for (const key of keys) {
    const isGood = key.length > 0 && key.length <= MAX_KEY_LENGTH && key.isWellFormed() && !key.includes('\0');
    if (!isGood) throw new HeliosError('invalid_argument', `cannot use ${JSON.stringify(key.slice(0, 80))} as a key of a record`);
  }
  if (new Set(keys).size < keys.length) throw new HeliosError('invalid_argument', 'cannot write a record twice at once');
}

/** First key, exclusive or not, and end, exclusive, of what a list asks for. */
export function keyRange({ prefix, after }: { prefix: string; after?: string }): { from: string; isAfter: boolean; to: string } {
  const isAfter = after !== undefined && after >= prefix;
  return { from: isAfter ? after : prefix, isAfter, to: prefix + LAST_CHARACTER };
}

/** What a change makes of records: new values by key (undefined removes; keys left out stay), and what the caller wants to know. */
export interface RecordChange<T> {
  values: ReadonlyMap<string, unknown>;
  answer: T;
}

/**
 * Reads the records of `keys` and writes what `change` makes of their values (those that there are), as if nobody else were writing.
 * `change` may be called several times. Rejects with `unavailable` when others are always faster.
 */
export async function updateRecords<T>(
  records: RecordStore,
  keys: readonly string[],
  change: (values: ReadonlyMap<string, unknown>) => RecordChange<T>,
): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const known = new Map((await records.get(keys)).map((record) => [record.key, record]));
    const { values, answer } = change(new Map([...known].map(([key, { value }]) => [key, value])));
    const writes = [...values].map(([key, value]) => ({ key, value, revision: known.get(key)?.revision ?? 0 }));
    if (writes.length === 0 || (await records.write(writes))) return answer;
  }
  throw new HeliosError('unavailable', `cannot write ${keys.join(', ')}: others write it all the time`);
}
