import { createHash } from 'node:crypto';

/** A stretch of time, `[fromMs, toMs)`, milliseconds since the epoch. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** Feature values of the window that starts at `startMs`. */
export interface TimedWindow {
  startMs: number;
  row: Float64Array;
}

/**
 * Windows that a model may be trained on. There are two ways to get them, and both leave out what belongs to incidents, so that no
 * model learns trouble as what is usual.
 */
export class CleanWindows {
  readonly rows: readonly Float64Array[];
  /** Windows left out because they overlap an incident. */
  readonly excluded: number;

  private constructor(rows: readonly Float64Array[], excluded: number) {
    this.rows = rows;
    this.excluded = excluded;
  }

  /** Those of `windows` that neither overlap an incident nor lie within `marginMs` of one. */
  static outside(windows: readonly TimedWindow[], windowMs: number, incidents: readonly Span[], marginMs: number): CleanWindows {
    const isClean = ({ startMs }: TimedWindow): boolean =>
      incidents.every(({ fromMs, toMs }) => startMs + windowMs <= fromMs - marginMs || startMs >= toMs + marginMs);
    const clean = windows.filter(isClean).map(({ row }) => row);
    return new CleanWindows(clean, windows.length - clean.length);
  }

  /** Windows that the detector learned one by one; it learns none that touches an anomaly (entity-learning.ts). */
  static learned(rows: readonly Float64Array[]): CleanWindows {
    return new CleanWindows(rows, 0);
  }

  /** SHA-256 over the rows as little-endian 64-bit floats, in hexadecimal: the same data, the same hash. */
  hash(): string {
    const size = this.rows.reduce((sum, row) => sum + row.length, 0);
    const values = new Float64Array(size);
    let at = 0;
    for (const row of this.rows) {
      values.set(row, at);
      at += row.length;
    }
    // Of the many bit patterns of NaN one stands for all.
    for (let i = 0; i < size; i++) if (Number.isNaN(values[i])) values[i] = NaN;
    return createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
  }
}
