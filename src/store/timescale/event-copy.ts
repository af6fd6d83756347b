import type { EventBatch } from '../../model/event-batch.ts';
import { wholeWeights } from '../../model/whole-weights.ts';
import { COPY_HEADER, COPY_TRAILER, RowBytes } from './binary-copy.ts';
import type { Session } from './database.ts';
import { EVENT_COLUMNS, EventRowEncoder } from './event-rows.ts';

const COPY_EVENTS = `COPY events (${EVENT_COLUMNS.join(', ')}) FROM STDIN (FORMAT binary)`;
const DIRECT_COMPRESS = 'SET LOCAL timescaledb.enable_direct_compress_copy = on';
const NONE: ReadonlySet<number> = new Set();

/** A record as it came, for its events to be told apart when one of them is refused. */
interface ObservedRecord {
  offset: number;
  firstRow: number;
  bytes: Uint8Array;
  starts: Uint32Array;
  lengths: Uint32Array;
}

/** The events between two commits as rows of binary COPY; what may be kept for the next commit is kept. */
export class EventCopy {
  readonly #rows = new RowBytes();
  readonly #encoder: EventRowEncoder;
  /** By row: index after its last byte. */
  #ends = new Uint32Array(4096);
  #records: ObservedRecord[] = [];
  rowCount = 0;

  constructor(partition: number) {
    this.#encoder = new EventRowEncoder(this.#rows, partition);
  }

  /** Of the rows. */
  get byteLength(): number {
    return this.#rows.length;
  }

  observe(batch: EventBatch, recordOffset: number): void {
    const { count } = batch;
    const weights = wholeWeights(batch);
    if (this.rowCount + count > this.#ends.length) this.#growEnds(this.rowCount + count);
    this.#records.push({
      offset: recordOffset,
      firstRow: this.rowCount,
      // A Buffer's own slice is no copy.
      bytes: Uint8Array.prototype.slice.call(batch.bytes),
      starts: batch.offset.slice(0, count),
      lengths: batch.length.slice(0, count),
    });
    for (let i = 0; i < count; i++) {
      this.#encoder.encode(batch, i, recordOffset, weights === null ? 1 : (weights[i] as number));
      this.#ends[this.rowCount++] = this.#rows.length;
    }
  }

  /** Copies the rows [from, to) but those in `without`; the caller holds the transaction. `compressed`: into compressed chunks. */
  async store(session: Session, compressed: boolean, without = NONE, from = 0, to = this.rowCount): Promise<void> {
    const parts: Uint8Array[] = [];
    let start = from;
    for (let row = from; row <= to; row++) {
      if (row < to && !without.has(row)) continue;
      if (row > start) parts.push(this.#rows.subarray(this.#startOf(start), this.#startOf(row)));
      start = row + 1;
    }
    if (parts.length === 0) return;
    if (compressed) await session.execute(DIRECT_COMPRESS);
    await session.copy(COPY_EVENTS, [COPY_HEADER, ...parts, COPY_TRAILER]);
  }

  /** The event of a row as it came, with the offset of its record and its place in there. */
  eventOf(row: number): { offset: number; index: number; line: Uint8Array } {
    const record = this.#records.findLast(({ firstRow, starts }) => firstRow <= row && starts.length > 0) as ObservedRecord;
    const index = row - record.firstRow;
    const start = record.starts[index] as number;
    return { offset: record.offset, index, line: record.bytes.subarray(start, start + (record.lengths[index] as number)) };
  }

  clear(): void {
    this.#rows.clear();
    this.#records = [];
    this.rowCount = 0;
  }

  #startOf(row: number): number {
    return row === 0 ? 0 : (this.#ends[row - 1] as number);
  }

  #growEnds(rows: number): void {
    const grown = new Uint32Array(Math.max(rows, 2 * this.#ends.length));
    grown.set(this.#ends.subarray(0, this.rowCount));
    this.#ends = grown;
  }
}
