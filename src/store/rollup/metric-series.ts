import { HeliosError } from '../../lib/errors.ts';
import type { Feature } from '../../model/rollup.ts';
import { FEATURE_UNITS, FEATURES } from '../../model/rollup.ts';
import type { MetricsAnswer, MetricSeries, MetricsQuery } from '../store.ts';
import type { BucketGrid } from '../bucket-grid.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import type { EntityRow, RollupQuestion } from './rollup-question.ts';
import { entitiesNamed } from './rollup-question.ts';
import type { RollupSum } from './rollup-sum.ts';

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

/** Values by entity and feature, filled bucket by bucket. */
class MetricColumns {
  readonly #grid: BucketGrid;
  readonly #names: readonly Feature[];
  /** By entity id: the count of the bucket before the first and of every bucket, and the values of each feature. */
  readonly #columns: Map<number, { counts: number[]; values: (number | null)[][] }>;

  constructor(grid: BucketGrid, names: readonly Feature[], entities: readonly EntityRow[]) {
    this.#grid = grid;
    this.#names = names;
    this.#columns = new Map(
      entities.map(({ id }) => [
        id,
        {
          counts: Array.from({ length: grid.count + 1 }, () => 0),
          values: names.map((name) => Array.from({ length: grid.count }, () => EMPTY_VALUES[name])),
        },
      ]),
    );
  }

  /** Takes the sum of a bucket; -1 is the one before the first. */
  add(entity: number, bucket: number, sum: RollupSum): void {
    const column = this.#columns.get(entity);
    if (!column) return;
    column.counts[bucket + 1] = sum.count;
    if (bucket < 0) return;
    for (const [i, name] of this.#names.entries()) (column.values[i] as (number | null)[])[bucket] = VALUES[name](sum);
  }

  series({ id, name: service }: EntityRow): MetricSeries[] {
    const { originMs, stepMs } = this.#grid;
    const column = this.#columns.get(id) as { counts: number[]; values: (number | null)[][] };
    return this.#names.map((name, i) => {
      const values = name === 'event_velocity' ? velocities(column.counts, stepMs) : (column.values[i] as (number | null)[]);
      const points = values.map((value, bucket): [number, number | null] => [originMs + bucket * stepMs, value]);
      return { name, labels: { service }, unit: FEATURE_UNITS[name], points };
    });
  }
}

/** Series of every entity asked for, one per feature, in order of the entities and then of `names`. */
export function metricsQuestion(query: MetricsQuery, known: readonly EntityRow[]): RollupQuestion<MetricsAnswer> {
  const names = checkNames(query.names);
  const grid = bucketGrid(query.fromMs, query.toMs, query.stepMs);
  const entities = entitiesNamed(known, query.service);
  checkPoints(grid.count * entities.length * names.length, MAX_POINTS);
  const columns = new MetricColumns(grid, names, entities);
  // One bucket more at the front: what the first velocity is measured against.
  const shift = names.includes('event_velocity') ? 1 : 0;
  return {
    grid: { ...grid, originMs: grid.originMs - shift * grid.stepMs, count: grid.count + shift },
    entities,
    parts: {
      endpoints: names.includes('unique_endpoints'),
      histogram: names.includes('p95_latency') || names.includes('p99_latency'),
    },
    visit: (entity, bucket, sum) => columns.add(entity, bucket - shift, sum),
    answer: () => ({ stepMs: grid.stepMs, series: entities.flatMap((entity) => columns.series(entity)) }),
  };
}
