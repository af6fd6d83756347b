import { isoTime } from '../../lib/clock.ts';
import type { Rollup } from '../../model/rollup.ts';
import { SUB_WINDOW_MS } from '../../model/rollup.ts';
import type { ServiceSummary } from '../store.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import type { EntityRow, RollupQuestion } from './rollup-question.ts';
import { entitiesNamed } from './rollup-question.ts';

const NOTHING_MORE = { endpoints: false, histogram: false };
const EVERYTHING = { endpoints: true, histogram: true };
/** Each holds a dense histogram of 5 KiB. */
const MAX_ROLLUPS = 50_000;

/**
 * Every entity known within the retention, by name. Counts are over [fromMs, toMs) widened to 10 s boundaries; first and
 * last seen are the times of its first and last event ever.
 */
export function servicesQuestion(
  query: { fromMs: number; toMs: number },
  entities: readonly EntityRow[],
): RollupQuestion<ServiceSummary[]> {
  const fromMs = Math.floor(query.fromMs / SUB_WINDOW_MS) * SUB_WINDOW_MS;
  const toMs = Math.ceil(query.toMs / SUB_WINDOW_MS) * SUB_WINDOW_MS;
  const counts = new Map<number, { events: number; errors: number }>();
  return {
    grid: bucketGrid(fromMs, toMs, toMs - fromMs),
    entities,
    parts: NOTHING_MORE,
    visit: (entity, _bucket, sum) => counts.set(entity, { events: sum.count, errors: sum.errorCount }),
    answer: () =>
      entities.map(({ id, name, firstSeenMs, lastSeenMs }) => ({
        service: name,
        firstSeen: isoTime(firstSeenMs),
        lastSeen: isoTime(lastSeenMs),
        eventCount: counts.get(id)?.events ?? 0,
        errorCount: counts.get(id)?.errors ?? 0,
      })),
  };
}

/** A rollup whose endpoints are still dictionary ids. */
export type CodedRollup = Omit<Rollup, 'endpoints'> & { endpointIds: readonly number[] };

/** Rollups of the buckets that have events, ascending by time. */
export function rollupsQuestion(
  query: { service: string; fromMs: number; toMs: number; stepMs: number },
  known: readonly EntityRow[],
): RollupQuestion<CodedRollup[]> {
  const grid = bucketGrid(query.fromMs, query.toMs, query.stepMs);
  const matching = entitiesNamed(known, query.service);
  const exact = matching.filter(({ name }) => name === query.service);
  const entities = exact.length > 0 ? exact : matching;
  checkPoints(grid.count * entities.length, MAX_ROLLUPS);
  const names = new Map(entities.map(({ id, name }) => [id, name]));
  const rollups: CodedRollup[] = [];
  return {
    grid,
    entities,
    parts: EVERYTHING,
    visit(entity, bucket, sum) {
      rollups.push({
        entity: names.get(entity) as string,
        startMs: grid.originMs + bucket * grid.stepMs,
        count: sum.count,
        errorCount: sum.errorCount,
        latencyCount: sum.latencyCount,
        latencySum: sum.latencySum,
        latencySquareSum: sum.latencySquareSum,
        histogram: sum.histogram.slice(),
        endpointIds: [...sum.endpoints],
      });
    },
    answer: () => rollups,
  };
}

/** Rollups with the names of their endpoints; `nameOf` turns a dictionary id into a name. */
export function withEndpoints(rollups: readonly CodedRollup[], nameOf: (id: number) => string): Rollup[] {
  return rollups.map(({ endpointIds, ...sums }) => ({ ...sums, endpoints: new Set(endpointIds.map(nameOf)) }));
}
