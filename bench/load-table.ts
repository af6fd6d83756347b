import type { LoadResult } from './load-result.ts';

/** Rows of text under a header, columns padded; numbers to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [header, ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

const HEADER = ['', 'events/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'acknowledged', 'not stored', 'lost'];

/** Load results side by side, each under its name. */
export function loadTable(results: readonly (readonly [name: string, result: LoadResult])[]): string {
  return textTable(
    HEADER,
    results.map(([name, r]) => [
      name,
      r.eventsPerSecond,
      ...[r.p50Ms, r.p90Ms, r.p99Ms, r.maxMs].map((ms) => ms.toFixed(2)),
      r.acknowledged,
      r.notStored,
      r.netErrors,
    ]),
  );
}
