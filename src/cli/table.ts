/** Control characters as \xNN: names come from telemetry and must not steer the terminal. Keeps tabs and line ends. */
export function visible(text: string): string {
  return text.replaceAll(/(?![\t\n])\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Columns aligned to the left, two spaces apart, under their heads. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map((cell) => visible(cell).replaceAll(/\s+/g, ' ')));
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** "2025-10-08 10:30:45" out of an ISO time, in UTC as everywhere in HELIOS. */
export function shortTime(iso: string | null): string {
  return iso === null ? '' : iso.slice(0, 19).replace('T', ' ');
}
