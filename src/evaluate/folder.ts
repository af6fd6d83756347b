import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { HeliosError } from '../lib/errors.ts';
import { kindOf, type FileKind } from './signature.ts';

export type LayoutName =
  | 'servers'
  | 'windowed series'
  | 'labelled series'
  | 'feature pairs'
  | 'tabular rows'
  | 'forest parity'
  | 'microservices'
  | 'component graph'
  | 'resource cases';

export interface FoundFile {
  path: string;
  kind: FileKind;
}

/** Files of one layout that are scored together. */
export interface FoundSet {
  /** Folder relative to the one that was searched, or the name of that one itself. */
  name: string;
  folder: string;
  layout: LayoutName;
  files: readonly FoundFile[];
}

/** Layout that a kind of file belongs to. */
const LAYOUT_OF: Record<FileKind, LayoutName> = {
  server_rows: 'servers',
  server_causes: 'servers',
  dated_values: 'windowed series',
  window_map: 'windowed series',
  labelled_values: 'labelled series',
  labelled_rows: 'tabular rows',
  service_metrics: 'microservices',
  events: 'microservices',
  faults: 'microservices',
  component_metrics: 'component graph',
  component_graph: 'component graph',
  issue: 'component graph',
  resource_rows: 'resource cases',
  feature_records: 'feature pairs',
  window_list: 'feature pairs',
  forest_export: 'forest parity',
};

/** Without a file of this kind there is nothing to score. */
const NEEDED: Record<LayoutName, FileKind> = {
  servers: 'server_rows',
  'windowed series': 'window_map',
  'labelled series': 'labelled_values',
  'feature pairs': 'feature_records',
  'tabular rows': 'labelled_rows',
  'forest parity': 'forest_export',
  microservices: 'faults',
  'component graph': 'component_metrics',
  'resource cases': 'resource_rows',
};

/** Layouts whose files lie in folders of their own; the highest folder that holds nothing else is the set. */
const NESTED = new Set<LayoutName>(['windowed series', 'labelled series', 'component graph', 'resource cases']);

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (statSync(path).isDirectory()) return filesBelow(path);
    return statSync(path).isFile() ? [path] : [];
  });
}

const lies = (path: string, folder: string): boolean => folder === path || path.startsWith(`${folder}/`);

function setFolder(root: string, file: FoundFile, files: readonly FoundFile[]): string {
  const layout = LAYOUT_OF[file.kind];
  let folder = dirname(file.path);
  if (!NESTED.has(layout)) return folder;
  while (folder !== root) {
    const parent = dirname(folder);
    if (files.some(({ path, kind }) => lies(path, parent) && LAYOUT_OF[kind] !== layout)) break;
    folder = parent;
  }
  return folder;
}

/** Every set in a folder, by the content of its files. Throws `invalid_argument` when there is no such folder or no set in it. */
export function findSets(root: string): FoundSet[] {
  let paths: string[];
  try {
    paths = filesBelow(root);
  } catch (error) {
    throw new HeliosError('invalid_argument', `cannot read ${root}: ${(error as Error).message}`);
  }
  const files = paths.flatMap((path) => {
    const kind = kindOf(path);
    return kind === null ? [] : [{ path, kind }];
  });
  const sets = new Map<string, FoundSet & { files: FoundFile[] }>();
  for (const file of files) {
    const layout = LAYOUT_OF[file.kind];
    const folder = setFolder(root, file, files);
    const key = `${folder}\0${layout}`;
    const known = sets.get(key);
    if (known) known.files.push(file);
    else sets.set(key, { name: relative(root, folder) || basename(root), folder, layout, files: [file] });
  }
  const found = [...sets.values()].filter((set) => set.files.some(({ kind }) => kind === NEEDED[set.layout]));
  if (found.length === 0)
    throw new HeliosError('invalid_argument', `cannot score ${root}: it holds no labelled data of a known layout`);
  return found;
}
