import assert from 'node:assert/strict';
import { createIncidentBook } from '../../detect/incident-book.ts';
import { testConfig } from '../../detect/traffic.fixture.ts';
import { silentLogger } from '../../lib/logger.ts';
import { cascadeAlerts, PARTITIONS, recordsByPartition } from '../../store/timescale/cascade.fixture.ts';
import type { Database } from '../../store/timescale/database.ts';
import { createIncidentLedger } from '../../store/timescale/incident-ledger.ts';
import type { HandedAlerts } from '../../store/timescale/incident-ledger.ts';
import { claimPartition } from '../../store/timescale/progress.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import { AlertIntake } from './alert-intake.ts';

const KEY = { group: 'reporters', topic: 'anomaly-alerts' };
const SETTLE = { mode: 'events', partitions: PARTITIONS, tracePartitions: PARTITIONS, holdMs: 1000 } as const;
const STAYS = new AbortController().signal;

function openIntake(database: Database, onHanded = (): void => {}): AlertIntake {
  const book = createIncidentBook(testConfig());
  const ledger = createIncidentLedger({ database, book, reportIntervalMs: 30_000, logger: silentLogger });
  return new AlertIntake(ledger, SETTLE, onHanded);
}

/** Everything that each partition has to say, as one read of it. */
async function readAll(database: Database): Promise<HandedAlerts[]> {
  const handed: HandedAlerts[] = [];
  for (const [partition, records] of recordsByPartition(cascadeAlerts(), 1).entries()) {
    const { epoch, nextOffset } = await claimPartition(database, { ...KEY, partition }, 'test');
    const progress = { ...KEY, partition, epoch, expectedOffset: nextOffset, nextOffset: nextOffset + records.length };
    handed.push({ messages: records.flat(), progress });
  }
  return handed;
}

async function count(database: Database, sql: string): Promise<number> {
  return Number((await database.query(`SELECT count(*) AS count FROM ${sql}`)).rows[0]?.['count']);
}

withDatabase('what all partitions hand in is stored and made into incidents at once', async ({ database }) => {
  let calls = 0;
  const intake = openIntake(database, () => calls++);
  const handing = (await readAll(database)).map((handed) => intake.hand(handed, STAYS));
  assert.equal(calls, handing.length);
  assert.equal(await intake.settle(), cascadeAlerts().length);
  await Promise.all(handing);
  assert.equal(await count(database, `documents WHERE kind = 'incident'`), 2);
  assert.equal(await intake.settle(), 0);
});

withDatabase('a partition that another has taken over fails alone, and the rest is settled', async ({ database }) => {
  const intake = openIntake(database);
  const [first, ...rest] = await readAll(database);
  assert.ok(first);
  const { epoch } = await claimPartition(database, { ...KEY, partition: first.progress.partition }, 'another');
  const lost = assert.rejects(intake.hand(first, STAYS), { code: 'conflict' });
  const handing = rest.map((handed) => intake.hand(handed, STAYS));
  assert.equal(await intake.settle(), 0, 'the lost partition has said nothing yet');
  await Promise.all([lost, ...handing]);
  assert.equal(await count(database, 'partition_progress WHERE next_offset > 0'), rest.length);
  const again = intake.hand({ ...first, progress: { ...first.progress, epoch } }, STAYS);
  assert.equal(await intake.settle(), cascadeAlerts().length);
  await again;
});

withDatabase('without a desk alerts are kept all the same, and who goes away takes his along', async ({ database }) => {
  const intake = openIntake(database);
  const [first, second] = await readAll(database);
  assert.ok(first && second);
  const leaving = new AbortController();
  const left = assert.rejects(intake.hand(second, leaving.signal), /left/);
  leaving.abort(new Error('left'));
  await left;
  await assert.rejects(intake.hand(second, leaving.signal), /left/);
  const kept = intake.hand(first, STAYS);
  await database.query('ALTER TABLE incident_desk RENAME TO incident_desk_away');
  try {
    await assert.rejects(intake.settle(), /incident_desk/);
  } finally {
    await database.query('ALTER TABLE incident_desk_away RENAME TO incident_desk');
  }
  await kept;
  assert.equal(await count(database, 'partition_progress WHERE next_offset > 0'), 1);
});
