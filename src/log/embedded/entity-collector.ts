import { entityId } from '../../model/entity.ts';
import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';
import type { ColumnEncoder, ColumnValues } from './column-encoder.ts';
import type { Skeleton } from './skeleton.ts';

const SERVICE = 'service';
const NAMING_KEYS: readonly string[] = [...ENVIRONMENT_KEYS, ...NAMESPACE_KEYS];
const MAX_ENTITIES = 4096;

interface NameColumn {
  names: string[];
  ids: Uint8Array;
}

/**
 * Which value of a skeleton holds which name: key to value index, or null when the shape leaves doubt (escaped or repeated
 * keys, naming keys outside metadata, lines that are not objects). Doubt costs speed only: such a block is always read.
 */
export function nameValues(skeleton: Skeleton): Map<string, number> | null {
  if (skeleton.literal.includes('\\')) return null;
  const hole = skeleton.parts.map((part) => part.toString('latin1'));
  let event: unknown;
  const repeated = { found: false };
  try {
    // A hole inside quotes and a bare one both become a number, told apart by its sign.
    const text = hole.reduce((sum, part, i) => {
      const quoted = sum.endsWith('"') && part.startsWith('"');
      return quoted ? `${sum.slice(0, -1)}${i}${part.slice(1)}` : `${sum}-${i}${part}`;
    });
    event = JSON.parse(text);
    repeated.found = (text.match(/"(?:[^"])*"\s*:/g)?.length ?? 0) !== countKeys(event);
  } catch {
    return null;
  }
  if (repeated.found || !isObject(event)) return null;
  if (NAMING_KEYS.some((key) => Object.hasOwn(event, key))) return null;
  const found = new Map<string, number>();
  const metadata = isObject(event['metadata']) ? event['metadata'] : {};
  const service = event[SERVICE];
  if (typeof service !== 'number' || service <= 0) return null;
  found.set(SERVICE, service - 1);
  for (const key of NAMING_KEYS) {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (typeof value === 'number' && value > 0) found.set(key, value - 1);
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  return inner.reduce((sum: number, item) => sum + countKeys(item), Array.isArray(value) ? 0 : inner.length);
}

/** Collects a block's entity ids from the dictionaries of the columns that name them. */
export class EntityCollector {
  readonly #source: Buffer;
  readonly #found = new Set<string>();
  #certain = true;
  #keys = new Map<number, string>();
  #columns = new Map<string, NameColumn>();

  constructor(source: Buffer) {
    this.#source = source;
  }

  begin(skeleton: Skeleton): void {
    const values = this.#certain ? nameValues(skeleton) : null;
    if (values === null) this.#certain = false;
    this.#keys = new Map([...(values ?? [])].map(([key, value]) => [value, key]));
    this.#columns = new Map();
  }

  /** To be called after the encoder has seen the skeleton's value `index`. */
  column(index: number, values: ColumnValues, encoder: ColumnEncoder): void {
    const key = this.#keys.get(index);
    if (key === undefined) return;
    const names = encoder.dictionary(values);
    if (names === null) this.#certain = false;
    else this.#columns.set(key, { names: names.map(unescapeName), ids: encoder.ids.slice(0, values.count) });
  }

  end(lines: number): void {
    if (!this.#certain) return;
    const service = this.#columns.get(SERVICE) as NameColumn;
    const environments = present(this.#columns, ENVIRONMENT_KEYS);
    const namespaces = present(this.#columns, NAMESPACE_KEYS);
    const seen = new Set<number>();
    for (let line = 0; line < lines; line++) {
      // Ids are below 256, so that a line's combination is one integer below 2^48.
      let combination = service.ids[line] as number;
      for (const column of [...environments, ...namespaces]) combination = combination * 256 + (column.ids[line] as number);
      if (seen.has(combination)) continue;
      seen.add(combination);
      this.#found.add(
        entityId({
          environment: firstName(environments, line),
          namespace: firstName(namespaces, line),
          service: service.names[service.ids[line] as number] as string,
        }),
      );
    }
    if (this.#found.size > MAX_ENTITIES) this.#certain = false;
  }

  result(): Set<string> | null {
    return this.#certain && this.#source.length > 0 ? this.#found : null;
  }
}

function present(columns: Map<string, NameColumn>, keys: readonly string[]): NameColumn[] {
  return keys.map((key) => columns.get(key)).filter((column) => column !== undefined);
}

function firstName(columns: NameColumn[], line: number): string {
  for (const column of columns) {
    const name = column.names[column.ids[line] as number] as string;
    if (name !== '') return name;
  }
  return '';
}

function unescapeName(text: string): string {
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
