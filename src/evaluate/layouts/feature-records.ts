import { basename } from 'node:path';
import { segmentsOf } from '../measures/row-segment.ts';
import type { FoundSet } from '../folder.ts';
import type { LabelledStream } from '../telemetry.ts';
import { readJson, stampMs } from '../text-file.ts';
import type { RowTruth } from './server-rows.ts';

const WARM_UP_ROWS = 1500;

const sharedLetters = (a: string, b: string): number => {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
};

/** opensearch: records `{timestamp, feature...}`, and beside them windows, both ends included. 1,500 rows of warm-up. */
export function readFeatureRecords({ files }: FoundSet): LabelledStream<RowTruth>[] {
  const labelFiles = files.filter(({ kind }) => kind === 'window_list').map(({ path }) => path);
  return files
    .filter(({ kind }) => kind === 'feature_records')
    .map(({ path }) => {
      const records = readJson(path) as Record<string, string | number>[];
      const series = Object.keys(records[0] ?? {}).filter((name) => name !== 'timestamp');
      const timeMs = Float64Array.from(records, ({ timestamp }) => stampMs(String(timestamp)));
      const values = Float64Array.from(records.flatMap((record) => series.map((name) => Number(record[name] ?? NaN))));
      // The label file whose name begins most like that of the records.
      const near = labelFiles.toSorted(
        (a, b) => sharedLetters(basename(b), basename(path)) - sharedLetters(basename(a), basename(path)),
      )[0];
      const windows = near === undefined ? [] : (readJson(near) as [string, string][]);
      const labels = new Uint8Array(timeMs.length);
      for (const [from, to] of windows) {
        for (let row = 0; row < timeMs.length; row++) {
          if ((timeMs[row] as number) >= stampMs(from) && (timeMs[row] as number) <= stampMs(to)) labels[row] = 1;
        }
      }
      const name = basename(path).replace(/(\.data)?\.json(\.gz)?$/, '');
      const segments = segmentsOf(labels);
      const firstScored = Math.min(WARM_UP_ROWS, labels.length);
      return {
        name,
        telemetry: { tables: [{ entity: name, series, timeMs, values }], eventsPath: null, calls: [] },
        truth: { labels, firstScored, segments, causes: segments.map(() => []) },
      };
    });
}
