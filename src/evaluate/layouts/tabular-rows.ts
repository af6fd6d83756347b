import { basename } from 'node:path';
import type { FoundSet } from '../folder.ts';
import { linesOf, readText, splitCells } from '../text-file.ts';

/** Rows without time, to be fitted and scored as a whole. */
export interface TabularRows {
  name: string;
  width: number;
  /** Row-major. */
  rows: Float32Array;
  labels: Uint8Array;
}

/** adbench: `x1,...,xd,label`. */
export function readTabularRows({ files }: FoundSet): TabularRows[] {
  return files.map(({ path }) => {
    const [head = '', ...lines] = linesOf(readText(path));
    const width = splitCells(head).length - 1;
    const rows = new Float32Array(lines.length * width);
    const labels = new Uint8Array(lines.length);
    for (const [row, line] of lines.entries()) {
      const cells = line.split(',');
      for (let i = 0; i < width; i++) rows[row * width + i] = Number(cells[i]);
      labels[row] = Number(cells[width]) > 0 ? 1 : 0;
    }
    return { name: basename(path).replace(/\.csv(\.gz)?$/, ''), width, rows, labels };
  });
}
