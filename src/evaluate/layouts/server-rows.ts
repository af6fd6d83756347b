import { basename } from 'node:path';
import { segmentsOf, type RowSegment } from '../measures/row-segment.ts';
import type { FoundSet } from '../folder.ts';
import type { LabelledStream } from '../telemetry.ts';
import { linesOf, numberOf, readText, splitCells } from '../text-file.ts';

/** Labels of the rows of one table. */
export interface RowTruth {
  labels: Uint8Array;
  /** First row after the warm-up. */
  firstScored: number;
  segments: readonly RowSegment[];
  /** By segment: the series at fault; empty where unknown. */
  causes: readonly (readonly string[])[];
}

/** "first-last:metric,metric" in rows of the test part; metrics count from 1. */
function readCauses(path: string, firstTest: number): { row: number; series: number[] }[] {
  return linesOf(readText(path)).map((line) => {
    const [rows = '', series = ''] = line.split(':');
    return { row: firstTest + Number.parseInt(rows, 10), series: series.split(',').map((cell) => Number(cell) - 1) };
  });
}

const stemOf = (path: string): string => basename(path).replace(/(\.causes\.txt|\.csv(\.gz)?)$/, '');

/** asd and smd: `t_seconds,split,m1,...,label`, causes beside it. The train part is the warm-up. */
export function readServerRows({ files }: FoundSet): LabelledStream<RowTruth>[] {
  return files
    .filter(({ kind }) => kind === 'server_rows')
    .map(({ path }) => {
      const [head = '', ...lines] = linesOf(readText(path));
      const series = splitCells(head).slice(2, -1);
      const timeMs = new Float64Array(lines.length);
      const labels = new Uint8Array(lines.length);
      const values = new Float64Array(lines.length * series.length);
      let firstScored = 0;
      for (const [row, line] of lines.entries()) {
        const cells = line.split(',');
        timeMs[row] = numberOf(cells[0]) * 1000;
        if (cells[1] === 'train') firstScored = row + 1;
        for (let i = 0; i < series.length; i++) values[row * series.length + i] = numberOf(cells[i + 2]);
        labels[row] = Number(cells.at(-1)) > 0 ? 1 : 0;
      }
      const entity = stemOf(path);
      const beside = files.find((file) => file.kind === 'server_causes' && stemOf(file.path) === entity);
      const listed = beside ? readCauses(beside.path, firstScored) : [];
      const segments = segmentsOf(labels);
      const causes = segments.map(([first, last]) =>
        listed.filter(({ row }) => row >= first && row <= last).flatMap(({ series: own }) => own.map((i) => series[i] as string)),
      );
      return {
        name: entity,
        telemetry: { tables: [{ entity, series, timeMs, values }], eventsPath: null, calls: [] },
        truth: { labels, firstScored, segments, causes },
      };
    });
}
