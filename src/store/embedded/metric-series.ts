import { HeliosError } from '../../lib/errors.ts';
import type { Feature } from '../../model/rollup.ts';
import { FEATURE_UNITS, FEATURES } from '../../model/rollup.ts';
import type { MetricsAnswer, MetricSeries, MetricsQuery } from '../store.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import type { RollupReader } from './rollup-reader.ts';
import type { RollupSum } from '../rollup/rollup-sum.ts';

export const MAX_POINTS = 1_000_000;

const EMPTY_VALUES: Record<Feature, number | null> = {
  event_count: 0,
  error_rate: null,
  avg_latency: null,
  p95_latency: null,
  p99_latency: null,
  latency_stddev: null,
  unique_endpoints: 0,
  event_velocity: 0,
};

/** Features of one bucket's sum; velocity needs the bucket before and is worked out from the counts. */
const VALUES: Record<Feature, (sum: RollupSum) => number | null> = {
  event_count: (sum) => sum.count,
  error_rate: (sum) => (sum.count === 0 ? null : sum.errorCount / sum.count),
  avg_latency: (sum) => sum.mean,
  p95_latency: (sum) => sum.quantile(0.95),
  p99_latency: (sum) => sum.quantile(0.99),
  latency_stddev: (sum) => sum.standardDeviation,
  unique_endpoints: (sum) => sum.endpoints.size,
  event_velocity: () => 0,
};

function checkNames(names: readonly string[]): readonly Feature[] {
  if (names.length === 0) return FEATURES;
  for (const name of names) {
    if ((FEATURES as readonly string[]).includes(name)) continue;
    throw new HeliosError('invalid_argument', `cannot read metric "${name}": the names are ${FEATURES.join(', ')}`, {
      details: { field: 'name' },
    });
  }
  return [...new Set(names)] as Feature[];
}

/** (count - previous count) / step seconds: how much faster events came than in the bucket before, in events/s. */
function velocities(counts: readonly number[], stepMs: number): number[] {
  return counts.slice(1).map((count, i) => ((count - (counts[i] as number)) * 1000) / stepMs);
}

/** Series of every entity asked for, one per feature, in order of entity name and then of `names`. */
export function readMetrics(reader: RollupReader, query: MetricsQuery): MetricsAnswer {
  const names = checkNames(query.names);
  const grid = bucketGrid(query.fromMs, query.toMs, query.stepMs);
  const entities = reader.entities(query.service);
  checkPoints(grid.count * entities.length * names.length, MAX_POINTS);

  const columns = new Map(
    entities.map(({ id }) => [
      id,
      {
        counts: Array.from({ length: grid.count + 1 }, () => 0),
        values: names.map((name) => Array.from({ length: grid.count }, () => EMPTY_VALUES[name])),
      },
    ]),
  );
  const parts = {
    endpoints: names.includes('unique_endpoints'),
    histogram: names.includes('p95_latency') || names.includes('p99_latency'),
  };
  // One bucket more at the front: what the first velocity is measured against.
  const withPrevious = { ...grid, originMs: grid.originMs - grid.stepMs, count: grid.count + 1 };
  const first = names.includes('event_velocity') ? withPrevious : grid;
  const shift = first === grid ? 0 : 1;
  reader.read(first, entities, parts, (entity, bucket, sum) => {
    const column = columns.get(entity);
    if (!column) return;
    column.counts[bucket - shift + 1] = sum.count;
    if (bucket < shift) return;
    for (const [i, name] of names.entries()) (column.values[i] as (number | null)[])[bucket - shift] = VALUES[name](sum);
  });

  const series: MetricSeries[] = [];
  for (const { id, name: service } of entities) {
    const column = columns.get(id) as { counts: number[]; values: (number | null)[][] };
    for (const [i, name] of names.entries()) {
      const values = name === 'event_velocity' ? velocities(column.counts, grid.stepMs) : (column.values[i] as (number | null)[]);
      const points = values.map((value, bucket): [number, number | null] => [grid.originMs + bucket * grid.stepMs, value]);
      series.push({ name, labels: { service }, unit: FEATURE_UNITS[name], points });
    }
  }
  return { stepMs: grid.stepMs, series };
}
