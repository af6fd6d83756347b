import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { storeConfigSchema } from '../config.ts';
import type { StorePair } from '../contract/store-fixture.ts';
import type { Store } from '../store.ts';
import type { PartitionWriter } from './partition-writer.ts';
import { openTestWriter } from './partition-writer.fixture.ts';
import type { TestDatabase } from './test-database.fixture.ts';
import type { TimescaleStoreOptions } from './timescale-store.ts';
import { openTimescaleStore } from './timescale-store.ts';

const common = { clock: systemClock, logger: silentLogger };

export function openTestStore(
  { database }: Pick<TestDatabase, 'database'>,
  options: Partial<TimescaleStoreOptions> = {},
): Promise<Store> {
  return openTimescaleStore({ ...common, database, storeConfig: storeConfigSchema.parse({}), ...options });
}

/** The writer of a partition of topic "events", to whose events nothing is wrong. */
export async function openSoundWriter(test: TestDatabase, partition = 0): Promise<PartitionWriter> {
  const { writer } = await openTestWriter(test, {
    partition,
    onPoison: async ({ reason }) => {
      throw new Error(`no event is poison here: ${reason}`);
    },
  });
  return writer;
}

export async function openTestPair(test: TestDatabase): Promise<StorePair> {
  return { writer: await openSoundWriter(test), store: await openTestStore(test) };
}
