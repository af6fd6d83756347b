import test from 'node:test';
import type { OpenMetricPair } from './contract/metric-fixture.ts';
import { MetricFixture } from './contract/metric-fixture.ts';
import { metricStepsContract } from './contract/metric-steps.contract.ts';
import { pointsContract } from './contract/points.contract.ts';
import { seriesContract } from './contract/series.contract.ts';

export interface MetricStoreContractOptions {
  open: OpenMetricPair;
  /** An empty place, and its removal. */
  newPlace: () => { place: string; remove: () => Promise<void> };
}

/** What every metric store and its writer do, whatever is below them; each test gets an empty place. */
export function metricStoreContract(label: string, { open, newPlace }: MetricStoreContractOptions): void {
  const tests = { ...pointsContract, ...metricStepsContract, ...seriesContract };
  for (const [sentence, run] of Object.entries(tests)) {
    test(`${label}: ${sentence}`, async () => {
      const { place, remove } = newPlace();
      const fixture = new MetricFixture(open, place);
      try {
        await fixture.start();
        await run(fixture);
        await fixture.stop();
      } finally {
        await remove();
      }
    });
  }
}
