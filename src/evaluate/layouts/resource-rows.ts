import { basename, dirname, join, relative } from 'node:path';
import type { FoundSet } from '../folder.ts';
import { sampleStepMs, type EntityTable, type LabelledStream } from '../telemetry.ts';
import { linesOf, numberOf, readText, splitCells } from '../text-file.ts';

export interface CaseTruth {
  service: string;
  resource: string;
  /** End of the warm-up, first faulty moment, end of the recording; on the clock of the joined recording. */
  scoredFromMs: number;
  onsetMs: number;
  endMs: number;
}

const WARM_UP_SHARE = 0.6;
const FAULTY = /^anomal/i;

interface ResourceRows {
  columns: string[];
  timeMs: Float64Array;
  rows: number[][];
}

function readRows(path: string): ResourceRows {
  const [head = '', ...lines] = linesOf(readText(path));
  const rows = lines.map((line) => splitCells(line).map(numberOf));
  return { columns: splitCells(head).slice(1), timeMs: Float64Array.from(rows, (row) => (row[0] as number) * 1000), rows };
}

/** One table a service: a column is `<service>_<what>`. */
function tablesOf(normal: ResourceRows, faulty: ResourceRows, timeMs: Float64Array): EntityTable[] {
  const services = new Map<string, string[]>();
  for (const column of normal.columns) {
    const service = column.slice(0, column.indexOf('_'));
    services.set(service, [...(services.get(service) ?? []), column]);
  }
  return [...services].map(([entity, columns]) => {
    const places = columns.map((column) => [normal.columns.indexOf(column), faulty.columns.indexOf(column)] as const);
    const values = [
      ...normal.rows.flatMap((row) => places.map(([at]) => row[at + 1] ?? NaN)),
      ...faulty.rows.flatMap((row) => places.map(([, at]) => row[at + 1] ?? NaN)),
    ];
    return {
      entity,
      series: columns.map((column) => column.slice(entity.length + 1)),
      timeMs,
      values: Float64Array.from(values),
    };
  });
}

/**
 * sock-shop: `<service>-<resource>/<n>/{normal,anomalous}`. The two files are separate recordings; the faulty one is replayed as if
 * it followed at once. The first 60 % of `normal` are the warm-up.
 */
export function readResourceRows({ folder, files }: FoundSet): LabelledStream<CaseTruth>[] {
  const faultyPaths = files.map(({ path }) => path).filter((path) => FAULTY.test(basename(path)));
  return faultyPaths.flatMap((path) => {
    const normalPath = files.find((file) => dirname(file.path) === dirname(path) && file.path !== path)?.path;
    if (normalPath === undefined) return [];
    const normal = readRows(normalPath);
    const faulty = readRows(path);
    const stepMs = sampleStepMs(normal.timeMs, 1000);
    const onsetMs = (normal.timeMs.at(-1) as number) + stepMs;
    const shift = onsetMs - (faulty.timeMs[0] as number);
    const timeMs = Float64Array.from([...normal.timeMs, ...faulty.timeMs.map((time) => time + shift)]);
    const label = basename(dirname(dirname(path)));
    const cut = label.lastIndexOf('-');
    const truth = {
      service: label.slice(0, cut),
      resource: label.slice(cut + 1),
      scoredFromMs: normal.timeMs[Math.floor(WARM_UP_SHARE * normal.timeMs.length)] as number,
      onsetMs,
      endMs: (timeMs.at(-1) as number) + stepMs,
    };
    const telemetry = { tables: tablesOf(normal, faulty, timeMs), eventsPath: null, calls: [] };
    return [{ name: relative(folder, dirname(join(path))), telemetry, truth }];
  });
}
