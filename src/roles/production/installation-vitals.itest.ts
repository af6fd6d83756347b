import assert from 'node:assert/strict';
import { configSchema } from '../../config/config.ts';
import type { Database } from '../../store/timescale/database.ts';
import { advance, claimPartition } from '../../store/timescale/progress.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import type { Stage } from '../vitals.ts';
import { installationVitals } from './installation-vitals.ts';

const config = configSchema.parse({});

async function reach(database: Database, group: string, topic: string, offsets: readonly number[]): Promise<void> {
  for (const [partition, offset] of offsets.entries()) {
    const key = { group, topic, partition };
    await advance(database, key, await claimPartition(database, key, 'test'), offset);
  }
}

const partsOf = (stages: readonly Stage[], name: string): unknown[] =>
  stages
    .filter((stage) => stage.name === name)
    .toSorted((a, b) => (a.part ?? 0) - (b.part ?? 0))
    .map(({ come, done }) => [come, done]);

withDatabase('an installation that has done nothing yet says nothing', async ({ database }) => {
  assert.deepEqual(await installationVitals({ database, config })(), { stages: [], waits: [] });
});

withDatabase('what one group has stored of a partition the other has to do', async ({ database }) => {
  await reach(database, 'storage-writers', 'events', [10, 20]);
  await reach(database, 'detectors', 'events', [12, 5]);
  await reach(database, 'point-writers', 'metrics', [7]);
  await reach(database, 'reporters', 'anomaly-alerts', [3]);
  const { stages } = await installationVitals({ database, config })();
  assert.deepEqual(partsOf(stages, 'events'), [
    [12, 10],
    [20, 5],
  ]);
  assert.deepEqual(partsOf(stages, 'metrics'), [[7, 7]]);
  assert.deepEqual(partsOf(stages, 'alerts'), []);
});

withDatabase('reporters are known by the last word of the detectors that they have stored', async ({ database }) => {
  await reach(database, 'detectors', 'events', [12, 5]);
  await database.query(
    `INSERT INTO detector_watermarks VALUES ('events', 0, 1, now() - interval '40 s'), ('events', 1, 1, now() - interval '9 min')`,
  );
  const { stages } = await installationVitals({ database, config })();
  const alerts = stages.find(({ name }) => name === 'alerts');
  assert.equal(alerts?.come, 17);
  assert.ok((alerts?.doneForMs ?? 0) >= 40_000 && (alerts?.doneForMs ?? 0) < 300_000);
});

withDatabase('alerts that are not settled and reports that nobody takes wait', async ({ database }) => {
  await database.query(`INSERT INTO pending_alerts (time_ms, id, received_at, settled_at) VALUES
    (1, 'old', now() - interval '1 h', now()), (2, 'stuck', now() - interval '5 min', NULL)`);
  await database.query(`INSERT INTO report_jobs (incident_id, due_at, claimed_until) VALUES
    ('later', now() + interval '1 min', NULL), ('due', now() - interval '3 min', NULL), ('taken', now() - interval '1 h', now() + interval '9 s')`);
  const waitsOf = async (mode: 'wall' | 'events'): Promise<unknown[]> => {
    const { waits } = await installationVitals({ database, config: { ...config, clock: mode } })();
    return waits.map(({ name, ms }) => [name, Math.floor(ms / 60_000)]);
  };
  assert.deepEqual(await waitsOf('wall'), [
    ['reports', 3],
    ['alerts', 5],
  ]);
  assert.deepEqual(await waitsOf('events'), [['reports', 3]]);
});
