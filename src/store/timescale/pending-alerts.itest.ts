import assert from 'node:assert/strict';
import type { AlertMessage } from '../../model/alert.ts';
import { NEVER_MS } from '../../model/alert.ts';
import type { Database } from './database.ts';
import { saveAlerts, saveWatermarks, takeDue } from './pending-alerts.ts';
import { withDatabase } from './test-database.fixture.ts';

const SETTLE = { mode: 'wall', partitions: 2, tracePartitions: 0, holdMs: 3_600_000 } as const;

const watermark = (partition: number, watermarkMs: number): AlertMessage => ({
  type: 'watermark',
  partition,
  of: 'events',
  watermarkMs,
});
const edges = (atMs: number): AlertMessage => ({ type: 'edges', partition: 0, atMs, edges: [] });

async function dueAfter(database: Database, ...reads: AlertMessage[][]): Promise<number[]> {
  return database.transaction(async (session) => {
    for (const messages of reads) {
      await saveAlerts(session, messages);
      await saveWatermarks(session, messages);
    }
    return (await takeDue(session, SETTLE)).map(({ atMs }) => atMs);
  });
}

withDatabase(
  'nobody waits for a partition in which nothing happens, and all do again once something does',
  async ({ database }) => {
    const idle = [watermark(0, 2000), watermark(1, 500), watermark(1, NEVER_MS)];
    assert.deepEqual(await dueAfter(database, [edges(1000), edges(3000)], idle), [1000]);
    assert.deepEqual(await dueAfter(database, [watermark(0, 9000), watermark(1, 2500)]), [1000], 'it is at 2500 now');
    assert.deepEqual(await dueAfter(database, [watermark(1, 2600), watermark(1, 2550)], [watermark(1, 2400)]), [1000]);
    assert.deepEqual(await dueAfter(database, [watermark(1, NEVER_MS), watermark(1, 2900)]), [1000], 'the last word counts');
    assert.deepEqual(await dueAfter(database, [watermark(1, NEVER_MS)]), [1000, 3000]);
  },
);

withDatabase('watermarks only go on', async ({ database }) => {
  assert.deepEqual(await dueAfter(database, [edges(1000)], [watermark(0, 2000), watermark(1, 2000)]), [1000]);
  assert.deepEqual(await dueAfter(database, [watermark(0, 400), watermark(1, 500)]), [1000]);
});
