import { basename, dirname, join, relative } from 'node:path';
import { segmentsOf, type RowSegment } from '../measures/row-segment.ts';
import type { FoundSet } from '../folder.ts';
import type { LabelledStream, Telemetry } from '../telemetry.ts';
import { linesOf, numberOf, readJson, readText, splitCells, stampMs } from '../text-file.ts';
import type { RowTruth } from './server-rows.ts';

const WARM_UP_SHARE = 0.15;
const NAB_WARM_UP_ROWS = 750;

interface DatedRows {
  telemetry: Telemetry;
  timeMs: Float64Array;
  labels: Uint8Array;
}

/** Rows `stamp,value[,label]`; they keep their order, which is that of time but for repeated stamps. */
function readDatedRows(path: string): DatedRows {
  const rows = linesOf(readText(path)).slice(1).map(splitCells);
  const timeMs = Float64Array.from(rows, (cells) => stampMs(cells[0] as string));
  const entity = basename(path).replace(/\.csv(\.gz)?$/, '');
  return {
    telemetry: {
      tables: [{ entity, series: ['value'], timeMs, values: Float64Array.from(rows, (cells) => numberOf(cells[1])) }],
      eventsPath: null,
      calls: [],
    },
    timeMs,
    labels: Uint8Array.from(rows, (cells) => (Number(cells[2]) > 0 ? 1 : 0)),
  };
}

/** ms-cloud: `TimeStamp,Value,Label`. The first 15 % of the rows are the warm-up. */
export function readLabelledValues({ folder, files }: FoundSet): LabelledStream<RowTruth>[] {
  return files.map(({ path }) => {
    const { telemetry, labels } = readDatedRows(path);
    const segments = segmentsOf(labels);
    const firstScored = Math.floor(WARM_UP_SHARE * labels.length);
    return { name: relative(folder, path), telemetry, truth: { labels, firstScored, segments, causes: segments.map(() => []) } };
  });
}

/** nab: windows by file, both ends the stamp of a row. Warm-up: int(min(.15 rows, 750)) rows. */
export function readWindowedValues({ files }: FoundSet): LabelledStream<RowTruth>[] {
  return files
    .filter(({ kind }) => kind === 'window_map')
    .flatMap((map) => {
      const windows = readJson(map.path) as Record<string, [string, string][]>;
      return Object.entries(windows).map(([name, own]) => {
        const { telemetry, timeMs, labels } = readDatedRows(join(dirname(map.path), name));
        const segments = own.map(([from, to]): RowSegment => {
          const last = timeMs.findLastIndex((time) => time <= stampMs(to.slice(0, 19)));
          return [timeMs.findIndex((time) => time >= stampMs(from.slice(0, 19))), last];
        });
        for (const [first, last] of segments) labels.fill(1, first, last + 1);
        const firstScored = Math.floor(Math.min(WARM_UP_SHARE * labels.length, NAB_WARM_UP_ROWS));
        return { name, telemetry, truth: { labels, firstScored, segments, causes: segments.map(() => []) } };
      });
    });
}
