import { SUB_WINDOW_MS } from '../../model/rollup.ts';
import type { BucketGrid } from '../bucket-grid.ts';
import { OpenSums } from '../rollup/open-sums.ts';
import { decodeRollups } from '../rollup/rollup-codec.ts';
import { MINUTE_MS, SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import type { EntityRow, RollupQuestion } from '../rollup/rollup-question.ts';
import { streamOf } from '../rollup/rollup-question.ts';
import type { RollupSum } from '../rollup/rollup-sum.ts';
import type { Session } from './database.ts';
import type { PeriodSpan, RollupLevel } from './rollup-rows.ts';
import { PERIOD_MS, RollupRows, sourceOf } from './rollup-rows.ts';

/** Sums of buckets that are open at a time: 5 KiB each. */
const MAX_OPEN_SUMS = 4096;

/** Known entities, by name; their times are those over all partitions that they came by. */
export async function readEntities(session: Session): Promise<EntityRow[]> {
  const { rows } = await session.query(
    `SELECT e.id, e.name, min(t.first_seen_ms) AS "firstSeenMs", max(t.last_seen_ms) AS "lastSeenMs",
       max(t.last_request_ms) AS "lastRequestMs"
     FROM entities e JOIN entity_times t ON t.entity = e.id GROUP BY e.id ORDER BY e.name COLLATE "C"`,
  );
  return rows as unknown as EntityRow[];
}

/**
 * Answers from the longest periods that lie inside one bucket and are summed up, the shorter ones elsewhere, whatever partitions a stream
 * came by. The session holds a snapshot, and `entityCount` is the number of all known entities.
 */
export async function answerFromRollups<T>(session: Session, question: RollupQuestion<T>, entityCount: number): Promise<T> {
  const { grid, entities } = question;
  const wanted = new Set(entities.map((entity) => streamOf(entity, grid)));
  const rows = new RollupRows(session, wanted, entityCount);
  const bounds = wanted.size === 0 ? null : await rows.bounds();
  if (bounds) {
    const bucketAt = (ms: number): number => Math.floor((ms - grid.originMs) / grid.stepMs);
    const end = Math.min(grid.count, bucketAt(bounds.toMs - 1) + 1);
    const group = Math.max(1, Math.floor(MAX_OPEN_SUMS / wanted.size));
    for (let first = Math.max(0, bucketAt(bounds.fromMs)); first < end; first += group) {
      await new BucketGroup(question, rows, bounds).read(first, Math.min(end, first + group));
    }
  }
  return question.answer();
}

/** Consecutive buckets that are summed together. */
class BucketGroup {
  readonly #question: RollupQuestion<unknown>;
  readonly #rows: RollupRows;
  readonly #bounds: { fromMs: number; toMs: number };
  readonly #sums = new OpenSums();

  constructor(question: RollupQuestion<unknown>, rows: RollupRows, bounds: { fromMs: number; toMs: number }) {
    this.#question = question;
    this.#rows = rows;
    this.#bounds = bounds;
  }

  async read(first: number, end: number): Promise<void> {
    const { grid, parts, visit } = this.#question;
    const fromMs = grid.originMs + first * grid.stepMs;
    const toMs = grid.originMs + end * grid.stepMs;
    const spans = periodSpans(grid, first, end, this.#bounds);
    for (const level of [2, 1, 0] as const) {
      const open = await this.#rows.open(level, spans[level]);
      await this.#rows.forEach(level, spans[level], ({ period, stream, partition, data }) => {
        if (open.get(period)?.has(sourceOf(stream, partition)) === true) return;
        const startMs = period * PERIOD_MS[level];
        const targets =
          level === 0 ? this.#subWindows(startMs, stream, fromMs, toMs) : [this.#sums.at(this.#bucketAt(startMs), stream)];
        decodeRollups(data, targets, parts);
      });
      if (level === 0) continue;
      const shorter = (level - 1) as RollupLevel;
      const ratio = PERIOD_MS[level] / PERIOD_MS[shorter];
      for (const [period, only] of open) spans[shorter].push({ first: period * ratio, end: (period + 1) * ratio, only });
    }
    this.#sums.close(Infinity, visit);
  }

  #subWindows(minuteMs: number, stream: number, fromMs: number, toMs: number): (RollupSum | null)[] {
    return Array.from({ length: SUB_WINDOWS_PER_MINUTE }, (_, slot) => {
      const ms = minuteMs + slot * SUB_WINDOW_MS;
      return ms >= fromMs && ms < toMs ? this.#sums.at(this.#bucketAt(ms), stream) : null;
    });
  }

  #bucketAt(ms: number): number {
    const { originMs, stepMs } = this.#question.grid;
    return Math.floor((ms - originMs) / stepMs);
  }
}

type SpansByLevel = [PeriodSpan[], PeriodSpan[], PeriodSpan[]];

/** What buckets [first, end) are made of, by level: the longest periods that lie inside one bucket. */
function periodSpans(grid: BucketGrid, first: number, end: number, bounds: { fromMs: number; toMs: number }): SpansByLevel {
  const spans: SpansByLevel = [[], [], []];
  for (let bucket = first; bucket < end; bucket++) {
    const startMs = grid.originMs + bucket * grid.stepMs;
    cover(Math.max(startMs, bounds.fromMs), Math.min(startMs + grid.stepMs, bounds.toMs), 2, spans);
  }
  return spans;
}

function cover(fromMs: number, toMs: number, level: RollupLevel, spans: SpansByLevel): void {
  if (fromMs >= toMs) return;
  if (level === 0) {
    addSpan(spans[0], Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS));
    return;
  }
  const shorter = (level - 1) as RollupLevel;
  const width = PERIOD_MS[level];
  const first = Math.ceil(fromMs / width);
  const end = Math.floor(toMs / width);
  if (first >= end) {
    cover(fromMs, toMs, shorter, spans);
    return;
  }
  cover(fromMs, first * width, shorter, spans);
  addSpan(spans[level], first, end);
  cover(end * width, toMs, shorter, spans);
}

/** Adds periods behind the last ones; neighbours, and a minute that two buckets share, are one span. */
function addSpan(spans: PeriodSpan[], first: number, end: number): void {
  const last = spans.at(-1);
  if (last && last.end >= first) last.end = Math.max(last.end, end);
  else spans.push({ first, end, only: null });
}
