import { Dictionary } from '../rollup/dictionary.ts';
import { MAX_ENTITIES } from '../rollup/rollup-key.ts';
import type { Database, Session } from './database.ts';
import { storableText } from './storable-text.ts';

const OTHER = 'other';
/** New names are no longer taken this far below the highest id, so that "other" itself always gets one. */
const RESERVED_IDS = 1000;
const MAX_ENDPOINTS = 1_000_000;

const KINDS = {
  // Ids above are those of streams of log records.
  entities: { highestId: MAX_ENTITIES, capacity: MAX_ENTITIES - 1 },
  endpoints: { highestId: 2 ** 31 - 1, capacity: MAX_ENDPOINTS },
} as const;

export type NameKind = keyof typeof KINDS;

/**
 * Ids of names in the database, which all writers share and which are never given to another name. Names are first counted under ids of
 * this writer's own, `local`; `resolve` asks the database for those that are new. Past what the tables may hold every further name is "other".
 */
export class NameIds {
  readonly local: Dictionary;
  readonly #kind: NameKind;
  readonly #maxId: number;
  /** By local id. */
  readonly #ids: number[] = [0];

  constructor(kind: NameKind, highestId: number = KINDS[kind].highestId) {
    this.#kind = kind;
    this.#maxId = highestId - RESERVED_IDS;
    this.local = new Dictionary(KINDS[kind].capacity);
  }

  /** The database's id of a local one, which a `resolve` must have seen. */
  idOf(local: number): number {
    return this.#ids[local] as number;
  }

  /** Stores new names, in a transaction of its own: they may stay when the commit that brought them fails. */
  async resolve(database: Database): Promise<void> {
    const pending = this.local.pending();
    if (pending.length === 0) return;
    const names = pending.map(({ name }) => storableText(name));
    const ids = await database.transaction((session) => this.#idsOf(session, [...new Set(names)].sort()));
    const other = ids.get(OTHER);
    for (const [i, { id }] of pending.entries()) this.#ids[id] = (ids.get(names[i] as string) ?? other) as number;
    this.local.settle();
  }

  async #idsOf(session: Session, names: readonly string[]): Promise<Map<string, number>> {
    const known = await this.#find(session, names);
    const missing = names.filter((name) => !known.has(name));
    if (missing.length === 0) return known;
    const { rows } = await session.query(`SELECT max(id) AS newest FROM ${this.#kind}`);
    const room = this.#maxId - Number(rows[0]?.['newest'] ?? 0);
    const added = missing.slice(0, Math.max(0, room));
    if (added.length < missing.length && !known.has(OTHER)) added.push(OTHER);
    // All writers insert in the order of the names: none waits for one that waits for it.
    await session.query(
      `INSERT INTO ${this.#kind} (name) SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS n(name, place) ORDER BY place
       ON CONFLICT (name) DO NOTHING`,
      [added.sort()],
    );
    return this.#find(session, [...names, OTHER]);
  }

  async #find(session: Session, names: readonly string[]): Promise<Map<string, number>> {
    const { rows } = await session.query(`SELECT id, name FROM ${this.#kind} WHERE name = ANY($1::text[])`, [names]);
    return new Map(rows.map(({ id, name }) => [name as string, id as number]));
  }
}
