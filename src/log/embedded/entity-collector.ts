import { entityId } from '../../model/entity.ts';
import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';
import type { ColumnDictionary } from './line-columns.ts';
import { SERVICE_KEY, type SkeletonShape } from './skeleton-shape.ts';

const MAX_ENTITIES = 4096;

/** A skeleton in use: what its values are, and the column of each. */
export interface PlacedSkeleton {
  shape: SkeletonShape;
  columns: Uint32Array;
}

/** Reads the dictionary ids of a column one line after the other. */
interface NameCursor {
  names: readonly string[];
  ids: Uint8Array;
  next: number;
}

/** Where a skeleton's lines say who they are from; environments and namespaces by precedence, the first that is not empty. */
interface Naming {
  service: NameCursor;
  environments: NameCursor[];
  namespaces: NameCursor[];
  /** Everything that has a value in such a line, whether or not the value names anything there. */
  moving: NameCursor[];
  /** Combinations of ids that were seen. */
  seen: Set<number>;
}

/** Columns whose dictionaries `collectEntities` needs; null when a skeleton leaves doubt about the entities. */
export function entityColumns(skeletons: readonly PlacedSkeleton[]): Set<number> | null {
  const columns = new Set<number>();
  for (const { shape, columns: columnOf } of skeletons) {
    if (shape.entity === null) return null;
    for (const value of shape.entity.values()) columns.add(columnOf[value] as number);
  }
  return columns;
}

/**
 * The entity ids of a block from the dictionaries of the columns that name them. Null when they are not certain: a column has
 * more names than a dictionary takes, or there are too many entities. `skeletons` are those of `lineSkeletons` by id; one that
 * no line has may be missing.
 */
export function collectEntities(
  lineSkeletons: Uint16Array,
  skeletons: readonly (PlacedSkeleton | undefined)[],
  dictionaries: ReadonlyMap<number, ColumnDictionary | null>,
): Set<string> | null {
  const cursors = new Map<number, NameCursor>();
  for (const [column, dictionary] of dictionaries) {
    if (dictionary === null) return null;
    cursors.set(column, { names: dictionary.names.map(unescapeName), ids: dictionary.ids, next: 0 });
  }
  const namings = skeletons.map((skeleton) => skeleton && namingOf(skeleton, cursors));
  const found = new Set<string>();
  for (const id of lineSkeletons) {
    const naming = namings[id] as Naming;
    const { service, environments, namespaces, moving, seen } = naming;
    // Ids are below 256 and there are at most six columns, so that a line's combination is one integer below 2^48.
    let combination = service.ids[service.next] as number;
    for (const cursor of environments) combination = combination * 256 + (cursor.ids[cursor.next] as number);
    for (const cursor of namespaces) combination = combination * 256 + (cursor.ids[cursor.next] as number);
    if (!seen.has(combination)) {
      seen.add(combination);
      found.add(entityOf(naming));
      if (found.size > MAX_ENTITIES) return null;
    }
    for (const cursor of moving) cursor.next++;
  }
  return found;
}

function namingOf({ shape, columns }: PlacedSkeleton, cursors: ReadonlyMap<number, NameCursor>): Naming {
  const cursorOf = (key: string): NameCursor | undefined => {
    const value = shape.entity?.get(key);
    return value === undefined ? undefined : cursors.get(columns[value] as number);
  };
  const present = (keys: readonly string[]): NameCursor[] => keys.map(cursorOf).filter((cursor) => cursor !== undefined);
  return {
    service: cursorOf(SERVICE_KEY) as NameCursor,
    environments: present(ENVIRONMENT_KEYS),
    namespaces: present(NAMESPACE_KEYS),
    moving: [...cursors].filter(([column]) => columns.includes(column)).map(([, cursor]) => cursor),
    seen: new Set(),
  };
}

function entityOf({ service, environments, namespaces }: Naming): string {
  return entityId({ environment: firstName(environments), namespace: firstName(namespaces), service: nameAt(service) });
}

function nameAt({ names, ids, next }: NameCursor): string {
  return names[ids[next] as number] as string;
}

function firstName(cursors: readonly NameCursor[]): string {
  for (const cursor of cursors) {
    const name = nameAt(cursor);
    if (name !== '') return name;
  }
  return '';
}

function unescapeName(text: string): string {
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}
