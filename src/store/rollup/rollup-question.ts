import { entityMatches } from '../../model/entity.ts';
import type { BucketGrid } from '../bucket-grid.ts';
import type { SumVisitor } from './open-sums.ts';
import type { RollupParts } from './rollup-codec.ts';
import { LOG_STREAM } from './rollup-key.ts';

export interface EntityRow {
  id: number;
  name: string;
  firstSeenMs: number;
  lastSeenMs: number;
  lastRequestMs: number;
}

/** What a reader of rollups is asked: it tells `visit` of every sum, and the answer is ready then. */
export interface RollupQuestion<T> {
  grid: BucketGrid;
  entities: readonly EntityRow[];
  parts: RollupParts;
  visit: SumVisitor;
  answer: () => T;
}

/** All entities, or those that `service` names by id or bare service name. */
export function entitiesNamed(entities: readonly EntityRow[], service: string | undefined): readonly EntityRow[] {
  return service === undefined ? entities : entities.filter(({ name }) => entityMatches(name, service));
}

/** An entity that had a request in the range or after it is read by its requests, any other by its log records. */
export function streamOf({ id, lastRequestMs }: EntityRow, grid: BucketGrid): number {
  return lastRequestMs >= grid.originMs ? id : id + LOG_STREAM;
}
