import test from 'node:test';
import { commitContract } from './contract/commit.contract.ts';
import { documentsContract, modelsContract } from './contract/documents.contract.ts';
import { eventsContract } from './contract/events.contract.ts';
import { kindsContract } from './contract/kinds.contract.ts';
import { metricsContract } from './contract/metrics.contract.ts';
import { recordsContract } from './contract/records.contract.ts';
import { searchContract } from './contract/search.contract.ts';
import type { OpenStorePair } from './contract/store-fixture.ts';
import { StoreFixture } from './contract/store-fixture.ts';

export interface StoreContractOptions {
  open: OpenStorePair;
  /** An empty place, and its removal. */
  newPlace: () => { place: string; remove: () => Promise<void> };
}

/**
 * What every store and its writer do, whatever is below them. An adapter's test calls it with a way to open a pair; each
 * test gets an empty place.
 */
export function storeContract(label: string, { open, newPlace }: StoreContractOptions): void {
  const tests = {
    ...metricsContract,
    ...kindsContract,
    ...commitContract,
    ...eventsContract,
    ...documentsContract,
    ...searchContract,
    ...modelsContract,
    ...recordsContract,
  };
  for (const [sentence, run] of Object.entries(tests)) {
    test(`${label}: ${sentence}`, async () => {
      const { place, remove } = newPlace();
      const fixture = new StoreFixture(open, place);
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
