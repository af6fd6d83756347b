import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import { bucketValues, LOOK_BACK_MS, stepUnit } from '../metric-steps.ts';
import type { MetricStore, PointsQuery, ReceivedSeries, SeriesQuery, SeriesSummary } from '../metric-store.ts';
import type { PointList } from '../point-list.ts';
import type { Page } from '../store.ts';
import type { Database } from './database.ts';
import { readPoints } from './metric-points.ts';
import { findSeries, listSeries } from './metric-series.ts';
import type { StoredSeries } from './metric-series.ts';

/** Most points in an answer, as for window features. */
const MAX_ANSWER_POINTS = 1_000_000;
/** Some seconds of the database, and of this process. */
const MAX_READ_POINTS = 10_000_000;
/** Read by one query: 36 bytes each, twice that on the wire. */
const SLICE_POINTS = 500_000;

export interface TimescaleMetricStoreOptions {
  /** Stays the caller's to close. */
  database: Database;
  clock: Clock;
  logger: Logger;
  /** Points that one query may read; 10 million by default. */
  maxReadPoints?: number;
  /** Points of several series that are read at once; half a million by default. */
  slicePoints?: number;
}

class TimescaleMetricStore implements MetricStore {
  readonly #database: Database;
  readonly #limits: { maxPoints: number; slicePoints: number };

  constructor({ database, maxReadPoints = MAX_READ_POINTS, slicePoints = SLICE_POINTS }: TimescaleMetricStoreOptions) {
    this.#database = database;
    this.#limits = { maxPoints: maxReadPoints, slicePoints };
  }

  series(query: SeriesQuery): Promise<Page<SeriesSummary>> {
    return listSeries(this.#database, query);
  }

  points(query: PointsQuery): Promise<ReceivedSeries[]> {
    const { step } = query;
    return step === 'raw' ? this.#rawPoints(query) : this.#pointsByStep(query, step);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #rawPoints(query: PointsQuery): Promise<ReceivedSeries[]> {
    let total = 0;
    return this.#read(await this.#find(query, 1), query, ({ key }, { count, times, values }) => {
      checkPoints((total += count), MAX_ANSWER_POINTS);
      const points = Array.from({ length: count }, (_, i): [number, number] => [times[i] as number, values[i] as number]);
      return { key, unit: key.unit, points };
    });
  }

  async #pointsByStep(query: PointsQuery, stepMs: number): Promise<ReceivedSeries[]> {
    const grid = bucketGrid(query.fromMs, query.toMs, stepMs);
    const series = await this.#find(query, grid.count);
    const range = { fromMs: grid.originMs - LOOK_BACK_MS, toMs: grid.originMs + grid.count * grid.stepMs };
    return this.#read(series, range, ({ key }, list) => {
      if ((list.times[list.count - 1] as number) < grid.originMs) return undefined;
      const values = bucketValues(key.kind, list, { from: 0, to: list.count }, grid);
      const points = values.map((value, bucket): [number, number | null] => [grid.originMs + bucket * grid.stepMs, value]);
      return { key, unit: stepUnit(key.kind, key.unit), points };
    });
  }

  /** The series asked for; `invalid_argument` when that many would not fit into an answer. */
  async #find(query: PointsQuery, pointsEach: number): Promise<StoredSeries[]> {
    const found: StoredSeries[] = [];
    for await (const series of findSeries(this.#database, query)) {
      found.push(series);
      checkPoints(found.length * pointsEach, MAX_ANSWER_POINTS);
    }
    return found;
  }

  /** What `answer` makes of the points of each series that has some, in the order of `series`. */
  async #read(
    series: readonly StoredSeries[],
    range: { fromMs: number; toMs: number },
    answer: (series: StoredSeries, points: PointList) => ReceivedSeries | undefined,
  ): Promise<ReceivedSeries[]> {
    const byId = new Map(series.map((each) => [each.id, each]));
    const answers = new Map<number, ReceivedSeries>();
    const { fromMs, toMs } = range;
    await readPoints(this.#database, [...byId.keys()], { fromMs, toMs, ...this.#limits }, (id, points) => {
      const one = answer(byId.get(id) as StoredSeries, points);
      if (one !== undefined) answers.set(id, one);
    });
    return series.flatMap(({ id }) => answers.get(id) ?? []);
  }
}

/** Opens the reading side of the metric store over a database whose schema is up to date. */
export async function openTimescaleMetricStore(options: TimescaleMetricStoreOptions): Promise<MetricStore> {
  return new TimescaleMetricStore(options);
}
