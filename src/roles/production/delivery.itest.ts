import assert from 'node:assert/strict';
import { waitFor } from '../../../bench/server-api.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Incident } from '../../model/incident.ts';
import { createDelivery } from '../../report/notify/delivery.ts';
import type { Delivery } from '../../report/notify/delivery.ts';
import { MemoryReceiver, notifyConfig, openIncident, reportOf } from '../../report/notify/delivery.fixture.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import { openTestStore } from '../../store/timescale/timescale-store.fixture.ts';

const INCIDENTS = 10;
const PATIENCE_MS = 60_000;

withDatabase('three reporters over one database tell each state once, to a receiver that knows no repeats', async (test) => {
  await using scope = new AsyncDisposableStack();
  const hook = new MemoryReceiver({ edit: false, dedup: false });
  hook.answer = () => systemClock.sleep(5);
  const config = notifyConfig(['hook'], { group_wait: '100ms', max_messages_per_hour: 1000 });
  const store = scope.use(await openTestStore(test));
  const deliveries: Delivery[] = [];
  for (const owner of ['a', 'b', 'c']) {
    const database = scope.use(await test.connect());
    const own = scope.use(await openTestStore({ database }));
    const parts = { clock: systemClock, prng: createPrng(owner.length), logger: silentLogger, metrics: silentMetrics };
    deliveries.push(scope.use(createDelivery({ store: own, notifiers: new Map([['hook', hook]]), config, owner, ...parts })));
  }
  const tell = async (changed: Partial<Incident>): Promise<void> => {
    for (let i = 1; i <= INCIDENTS; i++) {
      const id = `in-${i}`;
      await store.put('incident', openIncident(id, { updatedAt: new Date().toISOString(), ...changed }));
      await store.put('report', reportOf(id));
      for (const delivery of deliveries) delivery.wake(id);
    }
  };
  const count = (wanted: number): Promise<true> =>
    waitFor(`${wanted} messages`, PATIENCE_MS, async () => (hook.taken.length >= wanted ? true : undefined));
  await tell({});
  await count(INCIDENTS);
  await tell({ status: 'resolved', resolvedAt: new Date().toISOString() });
  await count(2 * INCIDENTS);
  for (const delivery of deliveries) await delivery.settled(1000);
  const told = hook.taken.map(({ key, state }) => `${key} ${state}`);
  assert.equal(new Set(told).size, told.length, told.toSorted().join('\n'));
  assert.equal(told.length, 2 * INCIDENTS);
});
