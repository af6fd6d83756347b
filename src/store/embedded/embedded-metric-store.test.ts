import { metricStoreContract } from '../metric-store.contract.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { openEmbeddedMetricStore } from './embedded-metric-store.ts';
import type { MetricWriterOptions } from './metric-writer.ts';
import { openMetricWriter } from './metric-writer.ts';

const newPlace = () => {
  const place = mkdtempSync(join(tmpdir(), 'helios-metric-store-'));
  return { place, remove: async () => rmSync(place, { recursive: true }) };
};

function contract(label: string, sizes: Partial<MetricWriterOptions>): void {
  metricStoreContract(label, {
    async open(dir) {
      const common = { dir, logger: silentLogger, metrics: silentMetrics, clock: new ManualClock() };
      const writer = await openMetricWriter({ ...common, config: { max_series: 1000 }, ...sizes });
      return { writer, store: await openEmbeddedMetricStore(common) };
    },
    newPlace,
  });
}

contract('metric store', {});
contract('metric store with a block a commit, merged at once', { blockTails: 1 });
contract('metric store with small blocks, merged little by little', { blockPoints: 20, blockTails: 4, mergePoints: 1 });
