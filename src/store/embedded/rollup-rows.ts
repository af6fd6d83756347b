import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { bucketOfKey, streamOfKey, rollupKey } from '../rollup/rollup-key.ts';

export interface RollupRow {
  key: number;
  data: Uint8Array;
}

export type RollupLevel = 'minute' | 'hour';

/** A row look-up by key costs about what reading this many neighbours does. */
const LOOKUP_COST = 4;

/** Reads the rows of some entities in a range of minutes or hours, ascending by time. Its caller holds a snapshot. */
export class RollupRows {
  readonly #range: Record<RollupLevel, StatementSync>;
  readonly #one: Record<RollupLevel, StatementSync>;
  readonly #bounds: Record<RollupLevel, StatementSync>;
  readonly #countEntities: StatementSync;

  constructor(database: DatabaseSync) {
    const range = (table: string): StatementSync =>
      database.prepare(`SELECT key, data FROM ${table} WHERE key >= ? AND key < ? ORDER BY key`);
    const one = (table: string): StatementSync => database.prepare(`SELECT key, data FROM ${table} WHERE key = ?`);
    const bounds = (table: string): StatementSync =>
      database.prepare(`SELECT (SELECT min(key) FROM ${table}) AS low, (SELECT max(key) FROM ${table}) AS high`);
    this.#range = { minute: range('minute_rollup'), hour: range('hour_rollup') };
    this.#one = { minute: one('minute_rollup'), hour: one('hour_rollup') };
    this.#bounds = { minute: bounds('minute_rollup'), hour: bounds('hour_rollup') };
    this.#countEntities = database.prepare('SELECT count(*) AS n FROM entity');
  }

  /** First and last minute with rows, numbers since the epoch; null without any. */
  minuteBounds(): { first: number; last: number } | null {
    const { low, high } = this.#bounds.minute.get() as { low: number | null; high: number | null };
    return low === null || high === null ? null : { first: bucketOfKey(low), last: bucketOfKey(high) };
  }

  /** Visits rows of `wanted` streams in [from, to), numbers of minutes or hours since the epoch. */
  forEach(level: RollupLevel, from: number, to: number, wanted: ReadonlySet<number>, visit: (row: RollupRow) => void): void {
    const { low, high } = this.#bounds[level].get() as { low: number | null; high: number | null };
    if (low === null || high === null || wanted.size === 0) return;
    const first = Math.max(from, bucketOfKey(low));
    const end = Math.min(to, bucketOfKey(high) + 1);
    const entityCount = this.#countEntities.get()?.['n'] as number;
    if (wanted.size * LOOKUP_COST < entityCount) {
      for (let bucket = first; bucket < end; bucket++) this.#lookUp(level, bucket, wanted, visit);
      return;
    }
    const rows = this.#range[level].iterate(rollupKey(first, 0), rollupKey(end, 0)) as unknown as Iterable<RollupRow>;
    for (const row of rows) if (wanted.has(streamOfKey(row.key))) visit(row);
  }

  #lookUp(level: RollupLevel, bucket: number, wanted: ReadonlySet<number>, visit: (row: RollupRow) => void): void {
    for (const stream of wanted) {
      const row = this.#one[level].get(rollupKey(bucket, stream)) as RollupRow | undefined;
      if (row) visit(row);
    }
  }
}
