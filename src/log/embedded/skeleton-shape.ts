import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';

export const SERVICE_KEY = 'service';
const NAMING_KEYS: readonly string[] = [...ENVIRONMENT_KEYS, ...NAMESPACE_KEYS];
const MAX_REMEMBERED = 4096;

/** What a skeleton's literal parts say about the values between them. */
export interface SkeletonShape {
  /** A name for each value's column: values of one name are alike, whatever skeleton they stand in. No name occurs twice. */
  columns: readonly string[];
  /**
   * Which value holds which name of an entity: key to value index. Null when the shape leaves doubt (escaped or repeated keys,
   * naming keys outside metadata, lines that are not objects); doubt costs speed only: such a block is always read.
   */
  entity: ReadonlyMap<string, number> | null;
}

/** Shapes by skeleton text; traffic has few, so each is worked out once. Emptied when it is full. */
export class SkeletonShapes {
  readonly #known = new Map<string, SkeletonShape>();

  /** `text`: literal parts with a newline between each two. */
  of(text: Buffer): SkeletonShape {
    const key = text.toString('latin1');
    const known = this.#known.get(key);
    if (known) return known;
    const parts = key.split('\n');
    const shape = { columns: columnNames(parts), entity: entityValues(parts) };
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, shape);
    return shape;
  }
}

/** By the key before the value, else by the literal part before it, and by whether the value stands in quotes. */
function columnNames(parts: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return parts.slice(1).map((after, i) => {
    const before = parts[i] as string;
    const isQuoted = before.endsWith('"') && after.startsWith('"');
    const key = /"([^"]*)"[ \t\r]*:[ \t\r[]*"?$/.exec(before)?.[1];
    const name = `${isQuoted ? '"' : ''}${key === undefined ? `[${before}` : `:${key}`}`;
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return `${times}${name}`;
  });
}

function entityValues(parts: readonly string[]): Map<string, number> | null {
  if (parts.some((part) => part.includes('\\'))) return null;
  let event: unknown;
  let repeated: boolean;
  try {
    // A hole inside quotes and a bare one both become a number, told apart by its sign.
    const text = parts.reduce((sum, part, i) => {
      const quoted = sum.endsWith('"') && part.startsWith('"');
      return quoted ? `${sum.slice(0, -1)}${i}${part.slice(1)}` : `${sum}-${i}${part}`;
    });
    event = JSON.parse(text);
    repeated = (text.match(/"(?:[^"])*"\s*:/g)?.length ?? 0) !== countKeys(event);
  } catch {
    return null;
  }
  if (repeated || !isObject(event)) return null;
  if (NAMING_KEYS.some((key) => Object.hasOwn(event, key))) return null;
  const metadata = isObject(event['metadata']) ? event['metadata'] : {};
  const service = event[SERVICE_KEY];
  if (typeof service !== 'number' || service <= 0) return null;
  const found = new Map([[SERVICE_KEY, service - 1]]);
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
