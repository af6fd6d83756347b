import { isoTime } from '../../lib/clock.ts';
import type { Rollup } from '../../model/rollup.ts';
import { SUB_WINDOW_MS } from '../../model/rollup.ts';
import type { ServiceSummary } from '../store.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import type { RollupReader } from './rollup-reader.ts';

const NOTHING_MORE = { endpoints: false, histogram: false };
const EVERYTHING = { endpoints: true, histogram: true };
/** Each holds a dense histogram of 5 KiB. */
const MAX_ROLLUPS = 50_000;

/**
 * Every entity known within the retention, by name. Counts are over [fromMs, toMs) widened to 10 s boundaries; first and
 * last seen are the times of its first and last event ever.
 */
export function readServices(reader: RollupReader, query: { fromMs: number; toMs: number }): ServiceSummary[] {
  const fromMs = Math.floor(query.fromMs / SUB_WINDOW_MS) * SUB_WINDOW_MS;
  const toMs = Math.ceil(query.toMs / SUB_WINDOW_MS) * SUB_WINDOW_MS;
  const entities = reader.entities();
  const counts = new Map<number, { events: number; errors: number }>();
  reader.read(bucketGrid(fromMs, toMs, toMs - fromMs), entities, NOTHING_MORE, (entity, _bucket, sum) => {
    counts.set(entity, { events: sum.count, errors: sum.errorCount });
  });
  return entities.map(({ id, name, firstSeenMs, lastSeenMs }) => ({
    service: name,
    firstSeen: isoTime(firstSeenMs),
    lastSeen: isoTime(lastSeenMs),
    eventCount: counts.get(id)?.events ?? 0,
    errorCount: counts.get(id)?.errors ?? 0,
  }));
}

/** Rollups of the buckets that have events, ascending by time; `endpointName` turns a dictionary id into a name. */
export function readRollups(
  reader: RollupReader,
  query: { service: string; fromMs: number; toMs: number; stepMs: number },
  endpointName: (id: number) => string,
): Rollup[] {
  const grid = bucketGrid(query.fromMs, query.toMs, query.stepMs);
  const matching = reader.entities(query.service);
  const exact = matching.filter(({ name }) => name === query.service);
  const entities = exact.length > 0 ? exact : matching;
  checkPoints(grid.count * entities.length, MAX_ROLLUPS);
  const names = new Map(entities.map(({ id, name }) => [id, name]));
  const rollups: Rollup[] = [];
  reader.read(grid, entities, EVERYTHING, (entity, bucket, sum) => {
    rollups.push({
      entity: names.get(entity) as string,
      startMs: grid.originMs + bucket * grid.stepMs,
      count: sum.count,
      errorCount: sum.errorCount,
      latencyCount: sum.latencyCount,
      latencySum: sum.latencySum,
      latencySquareSum: sum.latencySquareSum,
      histogram: sum.histogram.slice(),
      endpoints: new Set([...sum.endpoints].map(endpointName)),
    });
  });
  return rollups;
}
