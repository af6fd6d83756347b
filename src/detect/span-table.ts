/** Spans by the 64-bit hash of an id, a fixed number of them; of four that fall into one place the oldest makes room. Plain data. */
export interface SpanTable {
  low: Uint32Array;
  high: Uint32Array;
  /** Number of the service, from 1; 0 is a free row. */
  service: Uint16Array;
  /** Milliseconds; NaN when it has none. */
  latency: Float32Array;
  /** Minutes since the epoch. */
  minute: Int32Array;
  weight: Float32Array;
  /** Bits of the row's owner. */
  flags: Uint8Array;
  /** When it came, by count. */
  order: Uint32Array;
  next: number;
}

export interface TableRow {
  service: number;
  latency: number;
  minute: number;
  weight: number;
  flags: number;
}

const ROWS = 1 << 15;
const WAYS = 4;

export function createSpanTable(): SpanTable {
  return {
    low: new Uint32Array(ROWS),
    high: new Uint32Array(ROWS),
    service: new Uint16Array(ROWS),
    latency: new Float32Array(ROWS),
    minute: new Int32Array(ROWS),
    weight: new Float32Array(ROWS),
    flags: new Uint8Array(ROWS),
    order: new Uint32Array(ROWS),
    next: 1,
  };
}

function firstRow(low: number): number {
  return Math.imul(low, WAYS) & (ROWS - 1);
}

/** Rows under this hash, by number. */
export function rowsOf(table: SpanTable, low: number, high: number): number[] {
  const rows: number[] = [];
  for (let row = firstRow(low), end = row + WAYS; row < end; row++) {
    if (table.service[row] !== 0 && table.low[row] === low && table.high[row] === high) rows.push(row);
  }
  return rows;
}

export function rowAt(table: SpanTable, row: number): TableRow {
  return {
    service: table.service[row] as number,
    latency: table.latency[row] as number,
    minute: table.minute[row] as number,
    weight: table.weight[row] as number,
    flags: table.flags[row] as number,
  };
}

export function freeRow(table: SpanTable, row: number): void {
  table.service[row] = 0;
}

export function addRow(table: SpanTable, low: number, high: number, values: TableRow): void {
  let at = firstRow(low);
  for (let row = at, end = at + WAYS; row < end; row++) {
    if (table.service[row] === 0) {
      at = row;
      break;
    }
    if ((table.order[row] as number) < (table.order[at] as number)) at = row;
  }
  table.low[at] = low;
  table.high[at] = high;
  table.service[at] = values.service;
  table.latency[at] = values.latency;
  table.minute[at] = values.minute;
  table.weight[at] = values.weight;
  table.flags[at] = values.flags;
  table.order[at] = table.next;
  table.next = (table.next + 1) >>> 0;
}
