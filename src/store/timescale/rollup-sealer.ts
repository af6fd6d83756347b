import { ALL_PARTS, decodeRollups, encodeRollups } from '../rollup/rollup-codec.ts';
import { SUB_WINDOWS_PER_MINUTE } from '../rollup/rollup-key.ts';
import { RollupSum } from '../rollup/rollup-sum.ts';
import type { Session } from './database.ts';
import type { RollupKey, RollupTable } from './rollup-table.ts';
import { columnsOf, DAY_LEVEL, HOUR_LEVEL, HOURS_PER_DAY, readRollups, writeRollups } from './rollup-table.ts';

/** Hours, and days, summed up in one commit at most, so that a long catch-up does not make a commit long. */
const SEALS_PER_COMMIT = 64;
const MINUTES_PER_HOUR = 60;

/**
 * Sums up hours that are over into hour rows, and days into day rows, of one partition; an hour that gets a late event is open again, as
 * is its day, and is summed up anew. Runs inside of the caller's transaction.
 */
export class RollupSealer {
  readonly #partition: number;
  readonly #sum = new RollupSum();
  /** Newest hour with events, a number since the epoch. */
  #newestHour = -Infinity;
  /** Whether there may be hours or days to sum up: saves a look after most commits. */
  #isDue = true;

  constructor(partition: number) {
    this.#partition = partition;
  }

  async load(session: Pick<Session, 'query'>): Promise<void> {
    const { rows } = await session.query(
      'SELECT max(period) AS newest FROM open_rollups WHERE level = $1 AND log_partition = $2',
      [HOUR_LEVEL, this.#partition],
    );
    const newest = rows[0]?.['newest'] ?? null;
    if (newest !== null) this.#newestHour = Number(newest);
  }

  /** Must be called after a failed commit, and after retention: what was summed up may not be. */
  lookAgain(): void {
    this.#isDue = true;
  }

  /** Sums up what is over and was not written to by this commit, whose hours are given; returns how many rows. */
  async seal(session: Session, touched: readonly RollupKey[]): Promise<number> {
    for (const { period } of touched) {
      if (period !== this.#newestHour) this.#isDue = true;
      if (period > this.#newestHour) this.#newestHour = period;
    }
    if (!this.#isDue || this.#newestHour === -Infinity) return 0;
    const hours = await this.#quietHours(session, touched);
    await this.#sumUp(session, HOUR_LEVEL, 'minute_rollups', MINUTES_PER_HOUR, 'hour_rollups', hours);
    const days = await this.#closedDays(session);
    await this.#sumUp(session, DAY_LEVEL, 'hour_rollups', HOURS_PER_DAY, 'day_rollups', days);
    const isLate = touched.some(({ period }) => period < this.#newestHour);
    this.#isDue = isLate || hours.length === SEALS_PER_COMMIT || days.length === SEALS_PER_COMMIT;
    return hours.length + days.length;
  }

  /** Those that this commit wrote to are likely to get more, and wait. */
  async #quietHours(session: Session, touched: readonly RollupKey[]): Promise<RollupKey[]> {
    const { rows } = await session.query(
      `SELECT period, stream FROM open_rollups o
       WHERE level = $3 AND log_partition = $4 AND period < $5 AND NOT EXISTS
         (SELECT 1 FROM unnest($1::bigint[], $2::bigint[]) AS t(period, stream) WHERE t.period = o.period AND t.stream = o.stream)
       ORDER BY period, stream LIMIT $6`,
      [...columnsOf(touched), HOUR_LEVEL, this.#partition, this.#newestHour, SEALS_PER_COMMIT],
    );
    return rows as unknown as RollupKey[];
  }

  /** A day waits until all of its hours are summed up. */
  async #closedDays(session: Session): Promise<RollupKey[]> {
    const { rows } = await session.query(
      `SELECT period, stream FROM open_rollups d
       WHERE level = $1 AND log_partition = $2 AND period < $3 AND NOT EXISTS
         (SELECT 1 FROM open_rollups h WHERE h.level = $4 AND h.stream = d.stream AND h.log_partition = $2
            AND h.period >= d.period * $5 AND h.period < (d.period + 1) * $5)
       ORDER BY period, stream LIMIT $6`,
      [DAY_LEVEL, this.#partition, Math.floor(this.#newestHour / HOURS_PER_DAY), HOUR_LEVEL, HOURS_PER_DAY, SEALS_PER_COMMIT],
    );
    return rows as unknown as RollupKey[];
  }

  async #sumUp(
    session: Session,
    level: number,
    from: RollupTable,
    width: number,
    to: RollupTable,
    keys: readonly RollupKey[],
  ): Promise<void> {
    if (keys.length === 0) return;
    const parts = Map.groupBy(await readRollups(session, from, this.#partition, keys, width), ({ key }) => key);
    const blobs = keys.map((_, i) => this.#total((parts.get(i) ?? []).map(({ data }) => data)));
    await writeRollups(session, to, this.#partition, keys, blobs);
    await session.query(
      `DELETE FROM open_rollups o USING unnest($1::bigint[], $2::bigint[]) AS k(period, stream)
       WHERE o.level = $3 AND o.log_partition = $4 AND o.period = k.period AND o.stream = k.stream`,
      [...columnsOf(keys), level, this.#partition],
    );
  }

  #total(blobs: readonly Uint8Array[]): Uint8Array {
    this.#sum.reset();
    const targets = Array.from({ length: SUB_WINDOWS_PER_MINUTE }, () => this.#sum);
    for (const blob of blobs) decodeRollups(blob, targets, ALL_PARTS);
    return encodeRollups([this.#sum]);
  }
}
