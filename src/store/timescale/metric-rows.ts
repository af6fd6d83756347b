import type { PointList } from '../point-list.ts';
import { COPY_HEADER, COPY_TRAILER, RowBytes } from './binary-copy.ts';
import type { Session } from './database.ts';

const TWO_32 = 2 ** 32;
/** Four fields, their lengths included. */
const ROW_BYTES = 2 + 4 * (4 + 8);

const COLUMNS = '(series, time, value, start_ms)';
const REPLACE = 'ON CONFLICT (series, time) DO UPDATE SET value = excluded.value, start_ms = excluded.start_ms';

/** Points that go into the table together: each series and time once. */
export class MetricRows {
  count = 0;
  readonly #bytes = new RowBytes();

  clear(): void {
    this.count = 0;
    this.#bytes.clear();
  }

  push(series: number, { count, times, values, starts }: PointList): void {
    const bytes = this.#bytes;
    bytes.reserve(count * ROW_BYTES);
    const high = Math.floor(series / TWO_32);
    for (let row = 0; row < count; row++) {
      const start = starts[row] as number;
      bytes.int16(4);
      bytes.int64Field(high, series - high * TWO_32);
      bytes.timeField(times[row] as number);
      bytes.float64Field(values[row] as number);
      if (Number.isNaN(start)) bytes.nullField();
      else bytes.float64Field(start);
    }
    this.count += count;
  }

  /** Stores them inside of the session's transaction; what has the same series and time is replaced. */
  async store(session: Session): Promise<void> {
    if (this.count === 0) return;
    await session.execute(
      `CREATE TEMPORARY TABLE IF NOT EXISTS incoming_points
       (series bigint, time timestamptz, value double precision, start_ms double precision) ON COMMIT DELETE ROWS`,
    );
    const input = [COPY_HEADER, this.#bytes.subarray(0, this.#bytes.length), COPY_TRAILER];
    await session.copy(`COPY incoming_points ${COLUMNS} FROM STDIN (FORMAT binary)`, input);
    await session.query(`INSERT INTO metrics ${COLUMNS} SELECT series, time, value, start_ms FROM incoming_points ${REPLACE}`);
  }
}
