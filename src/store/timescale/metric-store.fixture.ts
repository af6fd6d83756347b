import { ManualClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';
import type { MetricPair } from '../contract/metric-fixture.ts';
import { MetricFixture } from '../contract/metric-fixture.ts';
import type { MetricStoreWriter } from '../metric-store.ts';
import type { Database } from './database.ts';
import type { MetricPartitionWriterOptions } from './metric-partition-writer.ts';
import { openMetricPartitionWriter } from './metric-partition-writer.ts';
import { openTimescaleMetricStore } from './metric-store.ts';
import type { TestDatabase } from './test-database.fixture.ts';

export const METRIC_PARTITION = { group: 'storage-writers', topic: 'metrics', partition: 0 } as const;

export type MetricPlaceOptions = Partial<MetricPartitionWriterOptions> & { maxReadPoints?: number; slicePoints?: number };

/** Metric stores and writers over one database, and what they say. */
export class MetricPlace {
  readonly database: Database;
  /** Log lines, "level message". */
  readonly lines: string[] = [];
  /** Sums of what was added, by metric name. */
  readonly sums: Record<string, number> = {};
  readonly #clock = new ManualClock(Date.UTC(2025, 9, 8));

  constructor({ database }: Pick<TestDatabase, 'database'>) {
    this.database = database;
  }

  readonly logger: Logger = { ...silentLogger, warn: (message) => void this.lines.push(`warn ${message}`) };

  readonly metrics: Metrics = {
    add: ({ name }: MetricDefinition, value) => void (this.sums[name] = (this.sums[name] ?? 0) + value),
    set() {},
    observe() {},
  };

  /** A claim of the partition, over this database or a connection of its own. */
  openWriter(options: Partial<MetricPartitionWriterOptions> = {}): Promise<MetricStoreWriter> {
    return openMetricPartitionWriter({
      ...METRIC_PARTITION,
      database: this.database,
      owner: 'test',
      config: { batch_rows: 50_000 },
      maxSeries: 1000,
      clock: this.#clock,
      logger: this.logger,
      metrics: this.metrics,
      ...options,
    });
  }

  /** A started fixture; stopped by the test. */
  async start(options: MetricPlaceOptions = {}): Promise<MetricFixture> {
    const fixture = new MetricFixture(() => this.open(options), '');
    await fixture.start();
    return fixture;
  }

  async open(options: MetricPlaceOptions = {}): Promise<MetricPair> {
    const { database, logger } = this;
    const store = await openTimescaleMetricStore({ database, clock: this.#clock, logger, ...options });
    return { writer: await this.openWriter(options), store };
  }
}
