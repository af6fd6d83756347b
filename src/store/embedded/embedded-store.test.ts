import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { storeConfigSchema } from '../config.ts';
import { storeContract } from '../store.contract.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import { openStoreWriter } from './store-writer.ts';

storeContract('embedded store', {
  async open(dir, log) {
    const common = { dir, clock: new ManualClock(), logger: silentLogger };
    const writer = await openStoreWriter({ ...common, config: storeConfigSchema.parse({}), metrics: silentMetrics });
    const store = await openEmbeddedStore({ ...common, source: log, committedOffset: () => log.nextOffset });
    return { writer, store };
  },
  newPlace() {
    const place = mkdtempSync(join(tmpdir(), 'helios-store-'));
    return { place, remove: async () => rmSync(place, { recursive: true }) };
  },
});
