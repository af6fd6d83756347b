import { EVENT_COLUMNS } from './event-rows.ts';

export type DecodedRow = Record<(typeof EVENT_COLUMNS)[number], unknown>;

const TYPES: Partial<Record<(typeof EVENT_COLUMNS)[number], (field: Buffer) => unknown>> = {
  // Microseconds since 2000 as milliseconds since 1970.
  time: (field) => Number(field.readBigInt64BE() + 946_684_800_000_000n) / 1000,
  log_position: (field) => field.readBigInt64BE(),
  log_partition: (field) => field.readInt16BE(),
  kind: (field) => field.readInt16BE(),
  level: (field) => field.readInt16BE(),
  weight: (field) => field.readInt16BE(),
  latency_ms: (field) => field.readDoubleBE(),
  metadata: (field) => JSON.parse(field.toString('utf8', 1)) as unknown,
};

/** Reads rows of binary COPY, without header and trailer, as the server would. */
export function decodeRows(bytes: Uint8Array): DecodedRow[] {
  const buffer = Buffer.from(bytes);
  const rows: DecodedRow[] = [];
  for (let p = 0; p < buffer.length;) {
    const fields = buffer.readInt16BE(p);
    if (fields !== EVENT_COLUMNS.length) throw new Error(`a row of ${fields} fields`);
    p += 2;
    const row = {} as DecodedRow;
    for (const column of EVENT_COLUMNS) {
      const length = buffer.readInt32BE(p);
      p += 4;
      if (length < 0) {
        row[column] = null;
        continue;
      }
      const field = buffer.subarray(p, p + length);
      row[column] = TYPES[column]?.(field) ?? field.toString('utf8');
      p += length;
    }
    rows.push(row);
  }
  return rows;
}
