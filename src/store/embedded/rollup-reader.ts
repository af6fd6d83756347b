import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SUB_WINDOW_MS } from '../../model/rollup.ts';
import type { BucketGrid } from '../bucket-grid.ts';
import type { SumVisitor } from '../rollup/open-sums.ts';
import { OpenSums } from '../rollup/open-sums.ts';
import type { RollupParts } from '../rollup/rollup-codec.ts';
import { decodeRollups } from '../rollup/rollup-codec.ts';
import { bucketOfKey, HOUR_MS, MINUTE_MS, rollupKey, streamOfKey, SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import { RollupRows } from './rollup-rows.ts';
import type { RollupSum } from '../rollup/rollup-sum.ts';
import type { EntityRow, RollupQuestion } from '../rollup/rollup-question.ts';
import { streamOf } from '../rollup/rollup-question.ts';

/**
 * Reads rollup rows as sums by entity and bucket: hour rows where an hour lies inside one bucket and is summed up, minute
 * rows elsewhere. Its caller holds a snapshot.
 */
export class RollupReader {
  readonly #rows: RollupRows;
  readonly #entities: StatementSync;
  readonly #openRange: StatementSync;

  constructor(database: DatabaseSync) {
    this.#rows = new RollupRows(database);
    this.#entities = database.prepare(
      `SELECT id, name, first_seen_ms AS firstSeenMs, last_seen_ms AS lastSeenMs, last_request_ms AS lastRequestMs
        FROM entity ORDER BY name`,
    );
    this.#openRange = database.prepare('SELECT key FROM open_hour WHERE key >= ? AND key < ? ORDER BY key');
  }

  /** Known entities, by name. */
  entities(): EntityRow[] {
    return this.#entities.all() as unknown as EntityRow[];
  }

  answer<T>(question: RollupQuestion<T>): T {
    this.#read(question);
    return question.answer();
  }

  #read({ grid, entities, parts, visit }: RollupQuestion<unknown>): void {
    const wanted = new Set(entities.map((entity) => streamOf(entity, grid)));
    const query = { grid, wanted, parts, visit, sums: new OpenSums() };
    const bounds = this.#rows.minuteBounds();
    if (!bounds || entities.length === 0) return;
    const bucketAt = (minute: number): number => Math.floor((minute * MINUTE_MS - grid.originMs) / grid.stepMs);
    const first = Math.max(0, bucketAt(bounds.first));
    const end = Math.min(grid.count, bucketAt(bounds.last + 1) + 1);
    const startOf = (bucket: number): number => grid.originMs + bucket * grid.stepMs;
    if (grid.stepMs < HOUR_MS) this.#readMinutes(startOf(first), startOf(end), query);
    else {
      for (let bucket = first; bucket < end; bucket++) {
        this.#readLongBucket(startOf(bucket), startOf(bucket + 1), query);
        query.sums.close(bucket + 1, visit);
      }
    }
    query.sums.close(Infinity, visit);
  }

  #readLongBucket(fromMs: number, toMs: number, query: ReadQuery): void {
    const firstHour = Math.ceil(fromMs / HOUR_MS);
    const endHour = Math.floor(toMs / HOUR_MS);
    this.#readMinutes(fromMs, firstHour * HOUR_MS, query);
    const openRows = this.#openRange.all(rollupKey(firstHour, 0), rollupKey(endHour, 0)) as { key: number }[];
    const open = new Set(openRows.map(({ key }) => key));
    const bucket = (fromMs - query.grid.originMs) / query.grid.stepMs;
    this.#rows.forEach('hour', firstHour, endHour, query.wanted, ({ key, data }) => {
      if (!open.has(key)) decodeRollups(data, [query.sums.at(bucket, streamOfKey(key))], query.parts);
    });
    for (const [hour, keys] of Map.groupBy(open, bucketOfKey)) {
      const wanted = new Set(keys.map(streamOfKey)).intersection(query.wanted);
      this.#readMinutes(hour * HOUR_MS, (hour + 1) * HOUR_MS, { ...query, wanted });
    }
    this.#readMinutes(endHour * HOUR_MS, toMs, query);
  }

  /** Adds the sub-windows of [fromMs, toMs) to their buckets; short buckets are handed over as soon as they are complete. */
  #readMinutes(fromMs: number, toMs: number, { grid, wanted, parts, sums, visit }: ReadQuery): void {
    if (fromMs >= toMs) return;
    const bucketAt = (ms: number): number => Math.floor((ms - grid.originMs) / grid.stepMs);
    const targets: (RollupSum | null)[] = Array.from({ length: SUB_WINDOWS_PER_MINUTE }, () => null);
    let lastMinute = -Infinity;
    this.#rows.forEach('minute', Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS), wanted, ({ key, data }) => {
      const minute = bucketOfKey(key);
      if (minute !== lastMinute && grid.stepMs < HOUR_MS) sums.close(bucketAt(minute * MINUTE_MS), visit);
      lastMinute = minute;
      for (let slot = 0; slot < SUB_WINDOWS_PER_MINUTE; slot++) {
        const ms = minute * MINUTE_MS + slot * SUB_WINDOW_MS;
        targets[slot] = ms >= fromMs && ms < toMs ? sums.at(bucketAt(ms), streamOfKey(key)) : null;
      }
      decodeRollups(data, targets, parts);
    });
  }
}

interface ReadQuery {
  grid: BucketGrid;
  wanted: ReadonlySet<number>;
  parts: RollupParts;
  visit: SumVisitor;
  sums: OpenSums;
}
