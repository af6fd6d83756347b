import { dirname, relative } from 'node:path';
import type { FoundSet } from '../folder.ts';
import type { EntityTable, LabelledStream } from '../telemetry.ts';
import { linesOf, numberOf, readJson, readText, splitCells } from '../text-file.ts';

export interface IssueTruth {
  scenario: string;
  target: string;
  targetMetric: string;
  rootCause: string;
  /** Series of the target in which the issue was seen. */
  targetSeries: string;
  /** Rows of normal data before the issue; 0 where the scenario has none. */
  normalRows: number;
  /** First row of the issue, which is quiet, in the time of the tables. */
  firstMs: number;
  stepMs: number;
}

interface Recording {
  timeMs: number[];
  /** By node and by series, one value a row. */
  nodes: Map<string, Map<string, number[]>>;
}

const HEADER_ROWS = 3;
/** As the layout documents them. */
const UNITS = new Map([
  ['latency', 's'],
  ['requests', '{request}'],
  ['availability', '%'],
]);
const FALLBACK_STEP_MS = 300_000;

/** Three header rows (node, metric, statistic), a row that names the first column, then Unix seconds and values. */
export function readRecording(text: string): Recording {
  const lines = linesOf(text).map(splitCells);
  const [nodes = [], metrics = [], statistics = []] = lines;
  const rows = lines.slice(HEADER_ROWS).filter((cells) => !Number.isNaN(numberOf(cells[0])));
  const recording: Recording = { timeMs: rows.map((cells) => Number(cells[0]) * 1000), nodes: new Map() };
  for (let column = 1; column < nodes.length; column++) {
    const node = nodes[column] as string;
    const series = recording.nodes.get(node) ?? new Map<string, number[]>();
    series.set(
      `${metrics[column]} ${statistics[column]}`,
      rows.map((cells) => numberOf(cells[column])),
    );
    recording.nodes.set(node, series);
  }
  return recording;
}

/** `1` at (row a, column b): a calls b. */
export function readCalls(text: string): (readonly [string, string])[] {
  const [head = [], ...rows] = linesOf(text).map(splitCells);
  return rows.flatMap(([caller = '', ...cells]) =>
    cells.flatMap((cell, i) => (Number(cell) > 0 ? [[caller, head[i + 1] as string] as const] : [])),
  );
}

function tableOf(entity: string, parts: readonly { timeMs: number[]; series: Map<string, number[]> | undefined }[]): EntityTable {
  const present = parts.filter(({ series }) => series);
  const series = [...new Set(present.flatMap((part) => [...(part.series as Map<string, number[]>).keys()]))];
  const rows = present.flatMap((part) => part.timeMs.map((_, row) => series.map((name) => part.series?.get(name)?.[row] ?? NaN)));
  return {
    entity,
    series,
    units: series.map((name) => UNITS.get(name.split(' ')[0] as string)),
    timeMs: Float64Array.from(present.flatMap((part) => part.timeMs)),
    values: Float64Array.from(rows.flat()),
  };
}

/** Recorded at another time, the issue is replayed as if it followed the normal data at once. */
function joined(normal: Recording | undefined, issue: Recording): { tables: EntityTable[]; stepMs: number; firstMs: number } {
  const stepMs = (issue.timeMs[1] ?? NaN) - (issue.timeMs[0] ?? NaN) || FALLBACK_STEP_MS;
  const shift = normal ? (normal.timeMs.at(-1) as number) + stepMs - (issue.timeMs[0] as number) : 0;
  const shifted = issue.timeMs.map((time) => time + shift);
  const names = new Set([...(normal?.nodes.keys() ?? []), ...issue.nodes.keys()]);
  const tables = [...names].map((name) =>
    tableOf(name, [
      ...(normal ? [{ timeMs: normal.timeMs, series: normal.nodes.get(name) }] : []),
      { timeMs: shifted, series: issue.nodes.get(name) },
    ]),
  );
  return { tables, stepMs, firstMs: shifted[0] as number };
}

/** The first rows of issues, which are quiet, one after the other: all that is known of a scenario without normal data. */
function quietRows(issues: readonly Recording[], stepMs: number): Recording | undefined {
  const nodes = new Map<string, Map<string, number[]>>();
  issues.forEach((issue, row) => {
    for (const [node, series] of issue.nodes) {
      const own = nodes.get(node) ?? new Map<string, number[]>();
      nodes.set(node, own);
      for (const [name, [value = NaN]] of series) {
        const values = own.get(name) ?? issues.map(() => NaN);
        values[row] = value;
        own.set(name, values);
      }
    }
  });
  return issues.length > 0 ? { timeMs: issues.map((_, row) => row * stepMs), nodes } : undefined;
}

interface Issue {
  target: { node: string; metric: string; agg?: string };
  root_cause: { node: string };
}

/** petshop: a folder with a call graph is a scenario; metrics beside an issue are of that issue, others are normal. */
export function readComponentMetrics({ folder, files }: FoundSet): LabelledStream<IssueTruth>[] {
  const issues = new Map(files.filter(({ kind }) => kind === 'issue').map(({ path }) => [dirname(path), path]));
  const recordings = files.filter(({ kind }) => kind === 'component_metrics').map(({ path }) => path);
  const graphs = files.filter(({ kind }) => kind === 'component_graph').map(({ path }) => path);
  const scenarioOf = (path: string): string | undefined =>
    graphs.map((graph) => dirname(graph)).findLast((scenario) => path.startsWith(`${scenario}/`));
  const normals = new Map<string | undefined, Recording>();
  for (const path of recordings) if (!issues.has(dirname(path))) normals.set(scenarioOf(path), readRecording(readText(path)));
  const issuePaths = recordings.filter((path) => issues.has(dirname(path)));
  const recorded = new Map(issuePaths.map((path) => [path, readRecording(readText(path))]));
  return issuePaths.map((path) => {
    const scenario = scenarioOf(path);
    const graph = graphs.find((candidate) => dirname(candidate) === scenario);
    const normal = normals.get(scenario);
    const others = issuePaths.filter((other) => other !== path && scenarioOf(other) === scenario);
    const quiet =
      normal ??
      quietRows(
        others.map((other) => recorded.get(other) as Recording),
        FALLBACK_STEP_MS,
      );
    const { tables, stepMs, firstMs } = joined(quiet, recorded.get(path) as Recording);
    const { target, root_cause } = readJson(issues.get(dirname(path)) as string) as Issue;
    const truth = {
      scenario: relative(folder, scenario ?? folder) || '.',
      target: target.node,
      targetMetric: target.metric,
      targetSeries: `${target.metric} ${target.agg ?? ''}`.trim(),
      rootCause: root_cause.node,
      normalRows: normal?.timeMs.length ?? 0,
      firstMs,
      stepMs,
    };
    const telemetry = { tables, eventsPath: null, calls: graph === undefined ? [] : readCalls(readText(graph)) };
    return { name: relative(folder, dirname(path)), telemetry, truth };
  });
}
