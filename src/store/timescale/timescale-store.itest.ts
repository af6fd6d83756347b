import test from 'node:test';
import { storeContract } from '../store.contract.ts';
import type { TestDatabase, TestEngine } from './test-database.fixture.ts';
import { openTestDatabase, testEngines } from './test-database.fixture.ts';
import { openTestPair } from './timescale-store.fixture.ts';

const ENGINES: readonly TestEngine[] = ['pglite', 'postgres'];

function contractOn(engine: TestEngine): void {
  const databases = new Map<string, Promise<TestDatabase>>();
  let places = 0;
  storeContract(`store on ${engine}`, {
    async open(place) {
      let database = databases.get(place);
      if (!database) databases.set(place, (database = openTestDatabase(engine)));
      return openTestPair(await database);
    },
    newPlace() {
      const place = String(places++);
      return { place, remove: async () => (await databases.get(place))?.[Symbol.asyncDispose]() };
    },
  });
}

const there = testEngines();
for (const engine of ENGINES) {
  if (there.includes(engine)) contractOn(engine);
  else test(`store on ${engine}`, { skip: 'needs HELIOS_TEST_POSTGRES' }, () => undefined);
}
