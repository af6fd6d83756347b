import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../../lib/logger.ts';
import type { MetricStore, PointsQuery, ReceivedSeries, SeriesQuery, SeriesSummary } from '../metric-store.ts';
import type { Page } from '../store.ts';
import { bucketGrid, checkPoints } from '../bucket-grid.ts';
import { METRIC_DATABASE, openDatabase, snapshot } from './database.ts';
import { bucketValues, LOOK_BACK_MS, stepUnit } from '../metric-steps.ts';
import type { PointList } from '../point-list.ts';
import { PointReader } from './point-reader.ts';
import { markDamaged } from './quarantine.ts';
import { findSeries, listSeries } from './series-list.ts';
import type { StoredSeries } from './series-list.ts';
import { isCorrupt, storeError } from './sqlite-errors.ts';
import { TailCache } from './tail-cache.ts';

/** Most points in an answer, as for window features. */
const MAX_ANSWER_POINTS = 1_000_000;
/** Some seconds of the store thread. */
const MAX_READ_POINTS = 50_000_000;

export interface EmbeddedMetricStoreOptions {
  /** The directory that a metric writer has opened. */
  dir: string;
  logger: Logger;
  /** Points that one query may unpack; 50 million by default. */
  maxReadPoints?: number;
}

class EmbeddedMetricStore implements MetricStore {
  readonly #options: EmbeddedMetricStoreOptions;
  readonly #database: DatabaseSync;
  readonly #tails: TailCache;
  readonly #reader: PointReader;

  constructor(options: EmbeddedMetricStoreOptions, database: DatabaseSync) {
    this.#options = options;
    this.#database = database;
    this.#tails = new TailCache(database);
    this.#reader = new PointReader(database, this.#tails);
  }

  async series(query: SeriesQuery): Promise<Page<SeriesSummary>> {
    return this.#read('list metric series', () => listSeries(this.#database, this.#tails, query));
  }

  async points(query: PointsQuery): Promise<ReceivedSeries[]> {
    const { step } = query;
    return this.#read('read metric points', () => (step === 'raw' ? this.#rawPoints(query) : this.#pointsByStep(query, step)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #rawPoints(query: PointsQuery): ReceivedSeries[] {
    const series = this.#find(query, 1);
    const answer: ReceivedSeries[] = [];
    let total = 0;
    this.#readPoints(series, query, (found, points, from, to) => {
      checkPoints((total += to - from), MAX_ANSWER_POINTS);
      const pairs = Array.from({ length: to - from }, (_, i): [number, number] => [
        points.times[from + i] as number,
        points.values[from + i] as number,
      ]);
      answer.push({ key: found.key, unit: found.key.unit, points: pairs });
    });
    return answer;
  }

  #pointsByStep(query: PointsQuery, stepMs: number): ReceivedSeries[] {
    const grid = bucketGrid(query.fromMs, query.toMs, stepMs);
    const series = this.#find(query, grid.count);
    const answer: ReceivedSeries[] = [];
    const range = { fromMs: grid.originMs - LOOK_BACK_MS, toMs: grid.originMs + grid.count * grid.stepMs };
    this.#readPoints(series, range, ({ key }, points, from, to) => {
      if ((points.times[to - 1] as number) < grid.originMs) return;
      const values = bucketValues(key.kind, points, { from, to }, grid);
      const pairs = values.map((value, bucket): [number, number | null] => [grid.originMs + bucket * grid.stepMs, value]);
      answer.push({ key, unit: stepUnit(key.kind, key.unit), points: pairs });
    });
    return answer;
  }

  /** The series asked for; `invalid_argument` when that many would not fit into an answer. */
  #find(query: PointsQuery, pointsEach: number): StoredSeries[] {
    const found: StoredSeries[] = [];
    for (const series of findSeries(this.#database, query)) {
      found.push(series);
      checkPoints(found.length * pointsEach, MAX_ANSWER_POINTS);
    }
    return found;
  }

  #readPoints(
    series: readonly StoredSeries[],
    range: { fromMs: number; toMs: number },
    visit: (series: StoredSeries, points: PointList, from: number, to: number) => void,
  ): void {
    const ids = series.map(({ id }) => id);
    const maxPoints = this.#options.maxReadPoints ?? MAX_READ_POINTS;
    this.#reader.read(ids, { ...range, maxPoints }, (index, points, from, to) =>
      visit(series[index] as StoredSeries, points, from, to),
    );
  }

  #read<T>(action: string, work: () => T): T {
    try {
      return snapshot(this.#database, work);
    } catch (error) {
      const failure = storeError(action, error);
      if (isCorrupt(failure)) {
        this.#options.logger.error('the database of metrics is damaged: it will be rebuilt at the next start', {
          reason: failure.message,
        });
        markDamaged(this.#options.dir, METRIC_DATABASE);
      }
      throw failure;
    }
  }
}

/**
 * Opens the reading side of the metric store over a connection of its own: it sees what the writer has committed. Open the writer
 * first: it is the one that sets a damaged database aside.
 */
export async function openEmbeddedMetricStore(options: EmbeddedMetricStoreOptions): Promise<MetricStore> {
  const database = openDatabase({ dir: options.dir, kind: METRIC_DATABASE });
  try {
    return new EmbeddedMetricStore(options, database);
  } catch (error) {
    database.close();
    throw storeError('open the metric store', error);
  }
}
