import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { MetricPair, OpenMetricPair } from '../contract/metric-fixture.ts';
import { MetricFixture } from '../contract/metric-fixture.ts';
import { databasePath, METRIC_DATABASE } from './database.ts';
import { openEmbeddedMetricStore } from './embedded-metric-store.ts';
import type { MetricWriterOptions } from './metric-writer.ts';
import { openMetricWriter } from './metric-writer.ts';

/** A directory for a test of the embedded metric store, removed when disposed. */
export class MetricStoreDir implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'helios-metric-store-'));
  /** Log lines, "level message". */
  readonly lines: string[] = [];

  readonly logger: Logger = {
    ...silentLogger,
    warn: (message) => void this.lines.push(`warn ${message}`),
    error: (message) => void this.lines.push(`error ${message}`),
  };

  /** A started fixture over this directory; stopped by the test. */
  async start(options: Partial<MetricWriterOptions> & { maxReadPoints?: number } = {}): Promise<MetricFixture> {
    const open: OpenMetricPair = (dir) => this.#open(dir, options);
    const fixture = new MetricFixture(open, this.dir);
    await fixture.start();
    return fixture;
  }

  /** Runs SQL behind the store's back. */
  execute(sql: string): void {
    const database = new DatabaseSync(databasePath(this.dir, METRIC_DATABASE));
    database.exec(sql);
    database.close();
  }

  rows(sql: string): Record<string, unknown>[] {
    const database = new DatabaseSync(databasePath(this.dir, METRIC_DATABASE));
    const rows = database.prepare(sql).all();
    database.close();
    return rows;
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }

  async #open(dir: string, options: Partial<MetricWriterOptions> & { maxReadPoints?: number }): Promise<MetricPair> {
    const common = { dir, logger: this.logger, metrics: silentMetrics, clock: new ManualClock(Date.UTC(2025, 9, 8)) };
    const writer = await openMetricWriter({ ...common, config: { max_series: 1000 }, ...options });
    return { writer, store: await openEmbeddedMetricStore({ ...common, ...options }) };
  }
}
