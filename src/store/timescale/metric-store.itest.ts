import assert from 'node:assert/strict';
import test from 'node:test';
import { metricStoreContract } from '../metric-store.contract.ts';
import { MetricPlace } from './metric-store.fixture.ts';
import type { TestDatabase } from './test-database.fixture.ts';
import { openTestDatabase, testEngines } from './test-database.fixture.ts';

for (const engine of ['pglite', 'postgres'] as const) {
  const label = `metrics on ${engine}`;
  if (!testEngines().includes(engine)) {
    test(label, { skip: 'needs HELIOS_TEST_POSTGRES' }, () => undefined);
    continue;
  }
  const open = new Map<string, TestDatabase>();
  let places = 0;
  metricStoreContract(label, {
    open: async (place) => {
      const database = open.get(place) ?? (await openTestDatabase(engine));
      open.set(place, database);
      return new MetricPlace(database).open();
    },
    newPlace: () => {
      const place = String(places++);
      return {
        place,
        remove: async () => {
          const database = open.get(place);
          assert.ok(database);
          open.delete(place);
          await database[Symbol.asyncDispose]();
        },
      };
    },
  });
}
