import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeChunk, encodeChunk } from './metric-chunk.ts';
import { PointList } from '../point-list.ts';
import type { PointBuffer } from '../point-buffer.ts';
import { MAX_SERIES_ID } from './series-registry.ts';

const SERIES_RANGE = MAX_SERIES_ID + 1;
/** So many neighbours of one tier become one block of the next. */
const MERGE_WIDTH = 4;
/** Blocks whose series have this many points each on average are not merged further. */
const TARGET_CHUNK_POINTS = 480;
/** Bounds what one merge rewrites. */
const MAX_BLOCK_POINTS = 4_194_304;
/** Chunks read from each block at a time. */
const SLICE_CHUNKS = 512;

export function chunkKey(block: number, series: number): number {
  return block * SERIES_RANGE + series;
}

function seriesOf(key: number): number {
  return key % SERIES_RANGE;
}

export interface Block {
  id: number;
  min_ms: number;
  max_ms: number;
  points: number;
  chunks: number;
  tier: number;
  merging_into: number | null;
}

interface ChunkRow {
  key: number;
  data: Uint8Array;
}

/** Writes blocks of points, and merges small ones. Every method runs inside the caller's transaction. */
export class BlockWriter {
  readonly #nextId: StatementSync;
  readonly #insertBlock: StatementSync;
  readonly #insertChunk: StatementSync;
  readonly #points = new PointList();

  constructor(database: DatabaseSync) {
    this.#nextId = database.prepare('SELECT coalesce(max(id), 0) + 1 AS id FROM block');
    this.#insertBlock = database.prepare('INSERT INTO block VALUES (?, ?, ?, ?, ?, 0, NULL)');
    this.#insertChunk = database.prepare('INSERT INTO chunk VALUES (?, ?)');
  }

  /** Stores all points of the buffer as the newest block; `ids` are series ids by slot. */
  write(buffer: PointBuffer, ids: readonly number[]): void {
    const id = this.#nextId.get()?.['id'] as number;
    const { order, ends } = buffer.bySlot(ids.length);
    const points = this.#points;
    let from = 0;
    let chunks = 0;
    for (let slot = 0; slot < ids.length; slot++) {
      const to = ends[slot] as number;
      if (to === from) continue;
      points.clear();
      for (; from < to; from++) {
        const at = order[from] as number;
        points.push(buffer.times[at] as number, buffer.values[at] as number, buffer.starts[at] as number);
      }
      points.settle();
      this.#insertChunk.run(chunkKey(id, ids[slot] as number), encodeChunk(points));
      chunks++;
    }
    const { minMs, maxMs } = buffer.range(0);
    this.#insertBlock.run(id, minMs, maxMs, buffer.count, chunks);
  }
}

/**
 * Merges neighbouring small blocks a slice at a time, so that no commit waits long. The last of them takes in the others: its id keeps
 * its place in the order of blocks. What is left to do is in the database, so a restart goes on with it.
 */
export class BlockMerger {
  readonly #database: DatabaseSync;
  readonly #readChunks: StatementSync;
  readonly #replaceChunk: StatementSync;
  readonly #deleteChunks: StatementSync;
  readonly #points = new PointList();
  /** First series of the running merge that is not merged yet. */
  #nextSeries = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#readChunks = database.prepare('SELECT key, data FROM chunk WHERE key >= ? AND key < ? ORDER BY key LIMIT ?');
    this.#replaceChunk = database.prepare('INSERT OR REPLACE INTO chunk VALUES (?, ?)');
    this.#deleteChunks = database.prepare('DELETE FROM chunk WHERE key >= ? AND key < ?');
  }

  /** Goes on until about `budget` points are merged or there is nothing to merge. Call `restart` when the transaction fails. */
  run(budget: number): void {
    for (let left = budget; left > 0;) {
      const blocks = this.#blocks();
      const target = blocks.find(({ merging_into }) => merging_into !== null)?.merging_into;
      if (target === undefined || target === null) {
        if (!this.#begin(blocks)) return;
        continue;
      }
      const sources = blocks.filter(({ id, merging_into }) => id === target || merging_into === target).map(({ id }) => id);
      left -= this.#mergeSlice(sources, target);
    }
  }

  /** Looks at the merge under way from its first series on. */
  restart(): void {
    this.#nextSeries = 0;
  }

  #blocks(): Block[] {
    return this.#database.prepare('SELECT * FROM block ORDER BY id').all() as unknown as Block[];
  }

  /** Starts the merge of the oldest blocks that should be one; false when there are none. */
  #begin(blocks: readonly Block[]): boolean {
    for (let at = 0; at + MERGE_WIDTH <= blocks.length; at++) {
      const run = blocks.slice(at, at + MERGE_WIDTH);
      const target = run.at(-1) as Block;
      const points = run.reduce((sum, block) => sum + block.points, 0);
      const chunks = run.reduce((most, block) => Math.max(most, block.chunks), 0);
      const isSmall = points <= MAX_BLOCK_POINTS && points <= chunks * TARGET_CHUNK_POINTS;
      if (!isSmall || run.some(({ tier }) => tier !== target.tier)) continue;
      const minMs = Math.min(...run.map(({ min_ms }) => min_ms));
      const maxMs = Math.max(...run.map(({ max_ms }) => max_ms));
      this.#database
        .prepare('UPDATE block SET min_ms = ?, max_ms = ?, points = ?, tier = tier + 1 WHERE id = ?')
        .run(minMs, maxMs, points, target.id);
      const mark = this.#database.prepare('UPDATE block SET merging_into = ? WHERE id = ?');
      for (const { id } of run) if (id !== target.id) mark.run(target.id, id);
      this.#nextSeries = 0;
      return true;
    }
    return false;
  }

  /** Merges the next series, in the order of ids; returns about how many points it rewrote. */
  #mergeSlice(sources: readonly number[], target: number): number {
    const from = this.#nextSeries;
    let end = SERIES_RANGE;
    const rows = sources.map((block) => {
      const range = [chunkKey(block, from), chunkKey(block, SERIES_RANGE)] as const;
      const found = this.#readChunks.all(...range, SLICE_CHUNKS) as unknown as ChunkRow[];
      if (found.length === SLICE_CHUNKS) end = Math.min(end, seriesOf((found.at(-1) as ChunkRow).key) + 1);
      return found;
    });
    const parts = Map.groupBy(
      rows.flat().filter(({ key }) => seriesOf(key) < end),
      ({ key }) => seriesOf(key),
    );
    let work = 0;
    for (const [series, chunks] of parts) work += this.#mergeSeries(chunkKey(target, series), chunks);
    for (const block of sources) if (block !== target) this.#deleteChunks.run(chunkKey(block, from), chunkKey(block, end));
    this.#nextSeries = end;
    if (end === SERIES_RANGE) this.#finish(target);
    // What was only looked at also took its time.
    return work + parts.size;
  }

  #mergeSeries(key: number, chunks: readonly ChunkRow[]): number {
    const [first] = chunks as [ChunkRow];
    if (chunks.length === 1) {
      if (first.key !== key) this.#replaceChunk.run(key, first.data);
      return 0;
    }
    this.#points.clear();
    for (const { data } of chunks) decodeChunk(data, this.#points);
    this.#points.settle();
    this.#replaceChunk.run(key, encodeChunk(this.#points));
    return this.#points.count;
  }

  #finish(target: number): void {
    const database = this.#database;
    database.prepare('DELETE FROM block WHERE merging_into = ?').run(target);
    database
      .prepare('UPDATE block SET chunks = (SELECT count(*) FROM chunk WHERE key >= ? AND key < ?) WHERE id = ?')
      .run(chunkKey(target, 0), chunkKey(target, SERIES_RANGE), target);
    this.#nextSeries = 0;
  }
}
