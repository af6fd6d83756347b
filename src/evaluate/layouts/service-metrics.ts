import type { FoundSet } from '../folder.ts';
import type { EntityTable, LabelledStream } from '../telemetry.ts';
import { linesOf, numberOf, readJson, readText, splitCells, stampMs } from '../text-file.ts';

export interface Fault {
  startMs: number;
  endMs: number;
  service: string;
  type: string;
}

export interface FaultTruth {
  faults: readonly Fault[];
}

/** Rows `timestamp,service,<metric>...` of any order, as one table a service in order of time. */
export function readServiceTables(text: string): EntityTable[] {
  const [head = '', ...lines] = linesOf(text);
  const series = splitCells(head).slice(2);
  const byService = new Map<string, { timeMs: number; values: number[] }[]>();
  for (const line of lines) {
    const [stamp = '', service = '', ...cells] = splitCells(line);
    const rows = byService.get(service) ?? [];
    rows.push({ timeMs: stampMs(stamp), values: series.map((_, i) => numberOf(cells[i])) });
    byService.set(service, rows);
  }
  return [...byService].map(([entity, unordered]) => {
    const rows = unordered.toSorted((a, b) => a.timeMs - b.timeMs);
    return {
      entity,
      series,
      timeMs: Float64Array.from(rows, (row) => row.timeMs),
      values: Float64Array.from(rows.flatMap((row) => row.values)),
    };
  });
}

interface FaultRecord {
  start: string;
  end: string;
  service: string;
  type?: string;
}

/** nezha: events, metrics of services, and faults; either of the first two may be missing. One system a folder. */
export function readMicroservices({ name, files }: FoundSet): LabelledStream<FaultTruth>[] {
  const pathsOf = (kind: string): string[] => files.filter((file) => file.kind === kind).map(({ path }) => path);
  const tables = pathsOf('service_metrics').flatMap((path) => readServiceTables(readText(path)));
  const records = pathsOf('faults').flatMap((path) => readJson(path) as FaultRecord[]);
  const faults = records.map(({ start, end, service, type = '' }) => ({
    startMs: stampMs(start),
    endMs: stampMs(end),
    service,
    type,
  }));
  faults.sort((a, b) => a.startMs - b.startMs);
  return [{ name, telemetry: { tables, eventsPath: pathsOf('events')[0] ?? null, calls: [] }, truth: { faults } }];
}
