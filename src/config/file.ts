import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isMap, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { HeliosError, systemCode } from '../lib/errors.ts';

export const DEFAULT_FILE = 'helios.yaml';

/** What a configuration file says, and where: "helios.yaml:3:5" by dotted path. */
export interface FileValues {
  values: Record<string, unknown>;
  positions: Map<string, string>;
}

function readText(path: string, name: string, required: boolean): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && !required) return null;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : (error as Error).message;
    throw new HeliosError('invalid_config', `cannot read the configuration file ${name}: ${reason}`, {
      cause: error,
      details: { field: name },
    });
  }
}

/**
 * Reads `file` (relative to `cwd`), or helios.yaml in `cwd` when there is one.
 * Throws `invalid_config` when a named file is missing, or a file cannot be read or is not a YAML mapping.
 */
export function readConfigFile(file: string | undefined, cwd: string): FileValues {
  const name = file ?? DEFAULT_FILE;
  const text = readText(resolve(cwd, name), name, file !== undefined);
  const positions = new Map<string, string>();
  if (text === null) return { values: {}, positions };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const problems = document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`);
  if (problems.length === 0 && document.contents !== null && !isMap(document.contents)) {
    problems.push(`${at(0)}: expected "key: value" lines`);
  }
  if (problems.length > 0) {
    throw new HeliosError('invalid_config', `cannot read the configuration file: ${problems.join('\n')}`, {
      details: { field: name, problems },
    });
  }
  notePositions(document.contents, [], at, positions);
  return { values: valuesOf(document, name), positions };
}

/** Aliases are resolved here: an unknown one, or too many of them, is the file's fault. */
function valuesOf(document: Document, name: string): Record<string, unknown> {
  try {
    return (document.toJS() as Record<string, unknown> | null) ?? {};
  } catch (error) {
    const message = `cannot read the configuration file: ${name}: ${(error as Error).message}`;
    throw new HeliosError('invalid_config', message, { cause: error, details: { field: name } });
  }
}

function notePositions(node: Node | null, path: string[], at: (offset: number) => string, positions: Map<string, string>): void {
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const keyNode = key as Node;
    const inner = [...path, String(keyNode)];
    positions.set(inner.join('.'), at(keyNode.range?.[0] ?? 0));
    notePositions(value as Node | null, inner, at, positions);
  }
}
