import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { NO_REQUEST_MS } from '../rollup/accumulator.ts';
import type { RollupAccumulator } from '../rollup/accumulator.ts';
import type { Dictionary } from '../rollup/dictionary.ts';
import { MinuteSums } from '../rollup/minute-sums.ts';
import { ALL_PARTS, decodeRollups, encodeRollups } from '../rollup/rollup-codec.ts';
import { bucketOfKey, streamOfKey, rollupKey, SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import { RollupSum } from '../rollup/rollup-sum.ts';

/** Hours summed up in one commit, at most, so that a long catch-up does not make a commit long. */
const SEALS_PER_COMMIT = 64;
/** Known open hours kept in memory only to save an insert that changes nothing. */
const MAX_KNOWN_OPEN = 100_000;

/**
 * Stores accumulated sums: adds them to the minute rows, and sums finished hours up into hour rows.
 * Everything here runs inside the caller's transaction.
 */
export class RollupWriter {
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #insertOpen: StatementSync;
  readonly #selectOpen: StatementSync;
  readonly #upsertHour: StatementSync;
  readonly #deleteOpen: StatementSync;
  readonly #minute = new MinuteSums((endpoint) => endpoint);
  readonly #hour = new RollupSum();
  #open = new Set<number>();
  /** Hours written to since the last `sealHours`: not summed up yet, more is likely to come. */
  #touched = new Set<number>();

  constructor(database: DatabaseSync) {
    this.#select = database.prepare('SELECT data FROM minute_rollup WHERE key = ?');
    this.#upsert = database.prepare(
      'INSERT INTO minute_rollup VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data',
    );
    this.#insertOpen = database.prepare('INSERT OR IGNORE INTO open_hour VALUES (?)');
    this.#selectOpen = database.prepare('SELECT key FROM open_hour WHERE key < ? ORDER BY key LIMIT ?');
    this.#upsertHour = database.prepare(
      'INSERT INTO hour_rollup VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data',
    );
    this.#deleteOpen = database.prepare('DELETE FROM open_hour WHERE key = ?');
  }

  /** Adds every accumulated cell; returns the number of rows written. */
  write(accumulator: RollupAccumulator): number {
    const { cells } = accumulator;
    const byMinute = Array.from({ length: cells.size }, (_, cell) => ({ cell, key: this.#keyOf(accumulator, cell) }));
    byMinute.sort((a, b) => a.key - b.key);
    let rows = 0;
    for (let start = 0; start < byMinute.length;) {
      const { key } = byMinute[start] as { key: number };
      let end = start;
      while (byMinute[end]?.key === key) end++;
      this.#writeMinute(
        accumulator,
        key,
        byMinute.slice(start, end).map(({ cell }) => cell),
      );
      rows++;
      start = end;
    }
    return rows;
  }

  /** Sums up hours that ended before `beforeHour` (a number since the epoch) and changed since they were last summed up. */
  sealHours(beforeHour: number): number {
    const limit = SEALS_PER_COMMIT + this.#touched.size;
    const keys = this.#selectOpen.all(rollupKey(beforeHour, 0), limit) as { key: number }[];
    const quiet = keys.filter(({ key }) => !this.#touched.has(key)).slice(0, SEALS_PER_COMMIT);
    this.#touched.clear();
    for (const { key } of quiet) {
      this.#hour.reset();
      const stream = streamOfKey(key);
      const firstMinute = bucketOfKey(key) * 60;
      const targets = Array.from({ length: SUB_WINDOWS_PER_MINUTE }, () => this.#hour);
      for (let minute = firstMinute; minute < firstMinute + 60; minute++) {
        const row = this.#select.get(rollupKey(minute, stream)) as { data: Uint8Array } | undefined;
        if (row) decodeRollups(row.data, targets, ALL_PARTS);
      }
      this.#upsertHour.run(key, encodeRollups([this.#hour]));
      this.#deleteOpen.run(key);
      this.#open.delete(key);
    }
    return quiet.length;
  }

  /** Must be called after a rollback: hours believed open may not be. */
  forgetOpenHours(): void {
    this.#open.clear();
    this.#touched.clear();
  }

  #keyOf(accumulator: RollupAccumulator, cell: number): number {
    const minute = Math.floor((accumulator.cells.bucket[cell] as number) / SUB_WINDOWS_PER_MINUTE);
    return rollupKey(minute, accumulator.cells.entity[cell] as number);
  }

  #writeMinute(accumulator: RollupAccumulator, key: number, cells: number[]): void {
    const row = this.#select.get(key) as { data: Uint8Array } | undefined;
    this.#upsert.run(key, this.#minute.merge(row?.data, accumulator, cells));
    this.#openHour(rollupKey(Math.floor(bucketOfKey(key) / 60), streamOfKey(key)));
  }

  #openHour(key: number): void {
    this.#touched.add(key);
    if (this.#open.has(key)) return;
    this.#insertOpen.run(key);
    if (this.#open.size >= MAX_KNOWN_OPEN) this.#open.clear();
    this.#open.add(key);
  }
}

/** Stores new names, and when each entity was first and last seen. */
export class NameWriter {
  readonly #insertEntity: StatementSync;
  readonly #updateEntity: StatementSync;
  readonly #insertEndpoint: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insertEntity = database.prepare('INSERT INTO entity (id, name, first_seen_ms, last_seen_ms) VALUES (?, ?, ?, ?)');
    this.#updateEntity = database.prepare(
      `UPDATE entity SET first_seen_ms = min(first_seen_ms, ?), last_seen_ms = max(last_seen_ms, ?),
        last_request_ms = max(last_request_ms, ?) WHERE id = ?`,
    );
    this.#insertEndpoint = database.prepare('INSERT INTO endpoint VALUES (?, ?)');
  }

  write(accumulator: RollupAccumulator, entities: Dictionary, endpoints: Dictionary): void {
    accumulator.foldTimes();
    for (const { id, name } of entities.pending()) {
      this.#insertEntity.run(id, name, accumulator.firstSeen.get(id) ?? 0, accumulator.lastSeen.get(id) ?? 0);
    }
    for (const [id, firstSeen] of accumulator.firstSeen) {
      const lastRequest = accumulator.lastRequest.get(id) ?? NO_REQUEST_MS;
      this.#updateEntity.run(firstSeen, accumulator.lastSeen.get(id) ?? firstSeen, lastRequest, id);
    }
    for (const { id, name } of endpoints.pending()) this.#insertEndpoint.run(id, name);
  }
}
