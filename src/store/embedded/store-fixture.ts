import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ManualClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { storeConfigSchema } from '../config.ts';
import { MemoryEventSource } from '../contract/event-fixture.ts';
import type { Store, StoreWriter } from '../store.ts';
import { databasePath } from './database.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import type { StoreWriterOptions } from './store-writer.ts';
import { openStoreWriter } from './store-writer.ts';

/** A directory for a test, removed when disposed. */
export class StoreDir implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'helios-store-'));
  readonly log = new MemoryEventSource();
  /** Log lines, "level message". */
  readonly lines: string[] = [];

  readonly logger: Logger = {
    ...silentLogger,
    warn: (message) => void this.lines.push(`warn ${message}`),
    error: (message) => void this.lines.push(`error ${message}`),
  };

  openWriter(options: Partial<StoreWriterOptions> = {}, metrics: Metrics = silentMetrics): Promise<StoreWriter> {
    const clock = new ManualClock(Date.UTC(2025, 9, 8));
    return openStoreWriter({
      dir: this.dir,
      config: storeConfigSchema.parse({}),
      clock,
      logger: this.logger,
      metrics,
      ...options,
    });
  }

  openStore(options: { maxScanBytes?: number } = {}): Promise<Store> {
    const { dir, log, logger } = this;
    return openEmbeddedStore({
      dir,
      source: log,
      committedOffset: () => log.nextOffset,
      clock: new ManualClock(),
      logger,
      ...options,
    });
  }

  /** Runs SQL behind the store's back. */
  execute(sql: string): void {
    const database = new DatabaseSync(databasePath(this.dir));
    database.exec(sql);
    database.close();
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}
