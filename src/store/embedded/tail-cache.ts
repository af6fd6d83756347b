import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeTail } from './metric-tail.ts';
import type { Tail } from './metric-tail.ts';

interface TailRow {
  id: number;
  min_ms: number;
  max_ms: number;
}

/** Unpacked tails, kept as long as they are in the database: as many as become a block at most. */
export class TailCache {
  readonly #list: StatementSync;
  readonly #read: StatementSync;
  readonly #tails = new Map<number, Tail>();

  constructor(database: DatabaseSync) {
    this.#list = database.prepare('SELECT id, min_ms, max_ms FROM tail ORDER BY id');
    this.#read = database.prepare('SELECT data FROM tail WHERE id = ?');
  }

  /** Tails that may have points in [fromMs, toMs), oldest first. */
  read(fromMs: number, toMs: number): Tail[] {
    const rows = this.#list.all() as unknown as TailRow[];
    const present = new Set(rows.map(({ id }) => id));
    for (const id of this.#tails.keys()) if (!present.has(id)) this.#tails.delete(id);
    return rows.filter(({ min_ms, max_ms }) => max_ms >= fromMs && min_ms < toMs).map(({ id }) => this.#tail(id));
  }

  #tail(id: number): Tail {
    let tail = this.#tails.get(id);
    if (!tail) this.#tails.set(id, (tail = decodeTail(this.#read.get(id)?.['data'] as Uint8Array)));
    return tail;
  }
}
