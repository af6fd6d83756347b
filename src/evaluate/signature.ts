import { linesOf, peekText, readJson, splitCells } from './text-file.ts';

/** What a file is by its own content; names of files and folders say nothing here. */
export type FileKind =
  | 'server_rows'
  | 'server_causes'
  | 'dated_values'
  | 'window_map'
  | 'labelled_values'
  | 'labelled_rows'
  | 'service_metrics'
  | 'events'
  | 'faults'
  | 'component_metrics'
  | 'component_graph'
  | 'issue'
  | 'resource_rows'
  | 'feature_records'
  | 'window_list'
  | 'forest_export';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === 'string' && /^\d{4}-\d\d-\d\d/.test(end));
const isWindowList = (value: unknown): boolean => Array.isArray(value) && value.every(isPair);

function kindOfArray(values: readonly unknown[]): FileKind | null {
  const [first] = values;
  if (isPair(first)) return isWindowList(values) ? 'window_list' : null;
  if (!isObject(first)) return null;
  if ('start' in first && 'end' in first && 'service' in first) return 'faults';
  const { timestamp, ...features } = first;
  const numbers = Object.values(features);
  return typeof timestamp === 'string' && numbers.length > 0 && numbers.every((value) => typeof value === 'number')
    ? 'feature_records'
    : null;
}

function kindOfObject(value: Json): FileKind | null {
  if (isObject(value['target']) && 'root_cause' in value) return 'issue';
  if (Array.isArray(value['X']) && Array.isArray(value['Q']) && Array.isArray(value['cases'])) return 'forest_export';
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([name, windows]) => name.endsWith('.csv') && isWindowList(windows))
    ? 'window_map'
    : null;
}

function kindOfJson(path: string, firstLine: string): FileKind | null {
  try {
    const line: unknown = JSON.parse(firstLine);
    if (isObject(line) && 'timestamp' in line && 'service' in line) return 'events';
  } catch {
    // The first line alone is not JSON: the file may be.
  }
  try {
    const whole = readJson(path);
    return Array.isArray(whole) ? kindOfArray(whole) : isObject(whole) ? kindOfObject(whole) : null;
  } catch {
    return null;
  }
}

function kindOfTable(lines: readonly string[]): FileKind | null {
  const header = splitCells(lines[0] as string).map((cell) => cell.trim());
  const names = header.map((cell) => cell.toLowerCase());
  const starts = (...wanted: string[]): boolean => wanted.every((name, i) => names[i] === name);
  if (starts('t_seconds', 'split') && names.at(-1) === 'label') return 'server_rows';
  if (starts('timestamp', 'value', 'label') && names.length === 3) return 'labelled_values';
  if (starts('timestamp', 'value') && names.length === 2) return 'dated_values';
  if (starts('timestamp', 'service') && names.length > 2) return 'service_metrics';
  if (starts('x1') && names.at(-1) === 'label') return 'labelled_rows';
  if (starts('microservice') && lines[1]?.startsWith('metric,') && lines[2]?.startsWith('statistic,')) return 'component_metrics';
  if (starts('time') && names.length > 2 && names.slice(1).every((name) => name.includes('_'))) return 'resource_rows';
  const isSquare = header[0] === '' && header.length > 2 && header[1] === splitCells(lines[1] ?? '')[0];
  return isSquare ? 'component_graph' : null;
}

/** The kind of a file, or null when it is none of those that can be scored. */
export function kindOf(path: string): FileKind | null {
  const text = peekText(path);
  if (text.includes('\0')) return null;
  const lines = linesOf(text);
  const first = lines[0];
  if (first === undefined) return null;
  if (/^\s*[[{]/.test(first)) return kindOfJson(path, first);
  if (/^\d+-\d+:\d+(,\d+)*$/.test(first)) return 'server_causes';
  return kindOfTable(lines);
}
