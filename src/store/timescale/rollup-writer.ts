import { NO_REQUEST_MS } from '../rollup/accumulator.ts';
import type { RollupAccumulator } from '../rollup/accumulator.ts';
import { MinuteSums } from '../rollup/minute-sums.ts';
import { entityOfStream, isLogStream, LOG_STREAM, SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import type { Session } from './database.ts';
import type { NameIds } from './name-ids.ts';
import type { RollupKey } from './rollup-table.ts';
import { columnsOf, DAY_LEVEL, HOUR_LEVEL, HOURS_PER_DAY, readRollups, writeRollups } from './rollup-table.ts';

/** Known open hours and days, kept only to save an insert that changes nothing. */
const MAX_KNOWN_OPEN = 100_000;

/** A minute row to be written, and the accumulator's cells in it. */
interface MinuteRow extends RollupKey {
  cells: number[];
}

/** Hours and days that a commit has opened, by key. */
interface Opened {
  hours: Map<string, RollupKey>;
  days: Map<string, RollupKey>;
}

export interface WrittenRollups {
  rows: number;
  /** The hours that were written to. */
  hours: RollupKey[];
}

const keyText = ({ period, stream }: RollupKey): string => `${period}:${stream}`;

/** Adds accumulated sums to the minute rows of one partition. Everything runs inside of the caller's transaction, and may run again. */
export class RollupWriter {
  readonly #partition: number;
  readonly #entities: NameIds;
  readonly #minute: MinuteSums;
  readonly #open = new Set<string>();

  constructor(partition: number, entities: NameIds, endpoints: NameIds) {
    this.#partition = partition;
    this.#entities = entities;
    this.#minute = new MinuteSums((endpoint) => endpoints.idOf(endpoint));
  }

  async write(session: Session, accumulator: RollupAccumulator): Promise<WrittenRollups> {
    const rows = this.#rowsOf(accumulator);
    if (rows.length === 0) return { rows: 0, hours: [] };
    const stored = new Map(
      (await readRollups(session, 'minute_rollups', this.#partition, rows)).map(({ key, data }) => [key, data]),
    );
    const blobs = rows.map(({ cells }, i) => this.#minute.merge(stored.get(i), accumulator, cells));
    await writeRollups(session, 'minute_rollups', this.#partition, rows, blobs);
    const opened = openedBy(rows);
    await this.#storeOpen(session, HOUR_LEVEL, opened.hours);
    await this.#storeOpen(session, DAY_LEVEL, opened.days);
    await this.#storeTimes(session, accumulator);
    return { rows: rows.length, hours: [...opened.hours.values()] };
  }

  /** Called once the commit is stored: what it opened need not be opened again. */
  settle(hours: readonly RollupKey[]): void {
    if (this.#open.size + 2 * hours.length > MAX_KNOWN_OPEN) this.#open.clear();
    for (const { period, stream } of hours) {
      this.#open.add(`${HOUR_LEVEL}:${period}:${stream}`);
      this.#open.add(`${DAY_LEVEL}:${Math.floor(period / HOURS_PER_DAY)}:${stream}`);
    }
  }

  /** Called when hours or days were summed up, or removed. */
  forgetOpen(): void {
    this.#open.clear();
  }

  /** By minute and stream, ascending. */
  #rowsOf({ cells }: RollupAccumulator): MinuteRow[] {
    const rows = new Map<string, MinuteRow>();
    for (let cell = 0; cell < cells.size; cell++) {
      const period = Math.floor((cells.bucket[cell] as number) / SUB_WINDOWS_PER_MINUTE);
      const stream = this.#streamOf(cells.entity[cell] as number);
      const text = keyText({ period, stream });
      const row = rows.get(text);
      if (row) row.cells.push(cell);
      else rows.set(text, { period, stream, cells: [cell] });
    }
    return [...rows.values()].sort((a, b) => a.period - b.period || a.stream - b.stream);
  }

  #streamOf(local: number): number {
    return this.#entities.idOf(entityOfStream(local)) + (isLogStream(local) ? LOG_STREAM : 0);
  }

  async #storeOpen(session: Session, level: number, opened: ReadonlyMap<string, RollupKey>): Promise<void> {
    const keys = [...opened].filter(([text]) => !this.#open.has(`${level}:${text}`)).map(([, key]) => key);
    if (keys.length === 0) return;
    await session.query(
      `INSERT INTO open_rollups (level, period, stream, log_partition)
       SELECT $3::smallint, period, stream, $4::integer FROM unnest($1::bigint[], $2::bigint[]) AS o(period, stream) ON CONFLICT DO NOTHING`,
      [...columnsOf(keys), level, this.#partition],
    );
  }

  async #storeTimes(session: Session, accumulator: RollupAccumulator): Promise<void> {
    accumulator.foldTimes();
    const { firstSeen, lastSeen, lastRequest } = accumulator;
    const locals = [...firstSeen.keys()];
    // Two names that are stored as one, or under "other", are one row.
    const byId = Map.groupBy(locals, (local) => this.#entities.idOf(local));
    const least = (times: Map<number, number>, ids: readonly number[]): number =>
      Math.min(...ids.map((id) => times.get(id) ?? Infinity));
    const most = (times: Map<number, number>, ids: readonly number[]): number =>
      Math.max(...ids.map((id) => times.get(id) ?? NO_REQUEST_MS));
    const entries = [...byId];
    await session.query(
      `INSERT INTO entity_times AS t (entity, log_partition, first_seen_ms, last_seen_ms, last_request_ms)
       SELECT entity, $5::integer, first, last, request
       FROM unnest($1::integer[], $2::float8[], $3::float8[], $4::float8[]) AS e(entity, first, last, request)
       ON CONFLICT (entity, log_partition) DO UPDATE SET first_seen_ms = least(t.first_seen_ms, excluded.first_seen_ms),
         last_seen_ms = greatest(t.last_seen_ms, excluded.last_seen_ms),
         last_request_ms = greatest(t.last_request_ms, excluded.last_request_ms)`,
      [
        entries.map(([id]) => id),
        entries.map(([, ids]) => least(firstSeen, ids)),
        entries.map(([, ids]) => most(lastSeen, ids)),
        entries.map(([, ids]) => most(lastRequest, ids)),
        this.#partition,
      ],
    );
  }
}

function openedBy(rows: readonly RollupKey[]): Opened {
  const hours = new Map<string, RollupKey>();
  const days = new Map<string, RollupKey>();
  for (const { period, stream } of rows) {
    const hour = { period: Math.floor(period / 60), stream };
    const day = { period: Math.floor(hour.period / HOURS_PER_DAY), stream };
    hours.set(keyText(hour), hour);
    days.set(keyText(day), day);
  }
  return { hours, days };
}
