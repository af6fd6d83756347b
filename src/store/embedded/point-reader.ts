import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeChunk } from './metric-chunk.ts';
import { chunkKey } from './metric-blocks.ts';
import { tooManyPoints } from '../bucket-grid.ts';
import { PointList } from '../point-list.ts';
import type { TailCache } from './tail-cache.ts';

/** Finding a chunk takes about as long as unpacking so many points. */
const LOOKUP_WORK = 50;

/** Reads the points of series out of blocks and tails. */
export class PointReader {
  readonly #listBlocks: StatementSync;
  readonly #readChunk: StatementSync;
  readonly #tails: TailCache;
  readonly #points = new PointList();

  constructor(database: DatabaseSync, tails: TailCache) {
    // Ids grow with the time of arrival: what comes later replaces what came before.
    this.#listBlocks = database.prepare('SELECT id FROM block WHERE max_ms >= ? AND min_ms < ? ORDER BY id');
    this.#readChunk = database.prepare('SELECT data FROM chunk WHERE key = ?');
    this.#tails = tails;
  }

  /**
   * Calls `visit` for each of the series that has points in [fromMs, toMs), in their order. The list holds those, ascending by time, at
   * rows [from, to); before and after them it may hold others, and it is used again after the call. `invalid_argument`, field "from",
   * once more than `maxPoints` had to be unpacked.
   */
  read(
    ids: readonly number[],
    range: { fromMs: number; toMs: number; maxPoints: number },
    visit: (index: number, points: PointList, from: number, to: number) => void,
  ): void {
    if (ids.length === 0) return;
    const { fromMs, toMs, maxPoints } = range;
    const blocks = this.#listBlocks.all(fromMs, toMs) as unknown as { id: number }[];
    const fresh = this.#fromTails(ids, fromMs, toMs);
    const points = this.#points;
    let work = 0;
    for (const [index, id] of ids.entries()) {
      points.clear();
      for (const block of blocks) {
        const row = this.#readChunk.get(chunkKey(block.id, id));
        work += LOOKUP_WORK + (row ? decodeChunk(row['data'] as Uint8Array, points) : 0);
        if (work > maxPoints) throw tooManyPoints(maxPoints);
      }
      const tail = fresh.get(id) ?? [];
      for (let i = 0; i < tail.length; i += 3) points.push(tail[i] as number, tail[i + 1] as number, tail[i + 2] as number);
      points.settle();
      const from = points.lowerBound(fromMs);
      const to = points.lowerBound(toMs);
      if (from < to) visit(index, points, from, to);
    }
  }

  /** Points of tails by series id: time, value and start in turn. */
  #fromTails(ids: readonly number[], fromMs: number, toMs: number): Map<number, number[]> {
    const found = new Map(ids.map((id) => [id, [] as number[]]));
    for (const { count, series, times, values, starts } of this.#tails.read(fromMs, toMs)) {
      for (let row = 0; row < count; row++) {
        found.get(series[row] as number)?.push(times[row] as number, values[row] as number, starts[row] as number);
      }
    }
    return found;
  }
}
