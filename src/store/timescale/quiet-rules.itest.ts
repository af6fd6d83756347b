import assert from 'node:assert/strict';
import { anomalyOf, MINUTE, over, T0 } from '../../detect/anomaly.fixture.ts';
import { createIncidentBook } from '../../detect/incident-book.ts';
import { quietPatterns } from '../../detect/quiet-rules.ts';
import { testConfig } from '../../detect/traffic.fixture.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { AlertMessage } from '../../model/alert.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import type { Feedback, QuietRule } from '../../model/feedback.ts';
import type { Database } from './database.ts';
import { createIncidentLedger, type IncidentLedger } from './incident-ledger.ts';
import { claimPartition } from './progress.ts';
import { openRecordStore } from './records.ts';
import { withDatabase } from './test-database.fixture.ts';

const KEY = { group: 'reporters', topic: 'anomaly-alerts', partition: 0 };
const EVENTS = { mode: 'events', partitions: 1, tracePartitions: 0, holdMs: 0 } as const;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function openLedger(database: Database): IncidentLedger {
  const book = createIncidentBook(testConfig());
  return createIncidentLedger({ database, book, reportIntervalMs: 30_000, logger: silentLogger });
}

function ruleOf(anomaly: Anomaly): QuietRule {
  const patterns = quietPatterns([anomaly], { match: 'entity', hours: null }, T0);
  return { id: 'in-1.1', label: 'false_alarm', by: 'ada', at: '2025-10-08T11:00:00.000Z', patterns };
}

/** What the one partition of the alerts brings: anomalies as they are found, and how far event time is. */
async function openLane(database: Database) {
  const { epoch, nextOffset } = await claimPartition(database, KEY, 'test');
  let next = nextOffset;
  return async (ledger: IncidentLedger, watermarkMs: number, ...anomalies: Anomaly[]): Promise<void> => {
    const found = anomalies.map((anomaly): AlertMessage => {
      const atMs = Date.parse(anomaly.resolvedAt ?? anomaly.detectedAt);
      return { type: 'anomaly', partition: 0, atMs, anomaly, evidence: [] };
    });
    const messages: AlertMessage[] = [...found, { type: 'watermark', partition: 0, of: 'events', watermarkMs }];
    await ledger.record(messages, { ...KEY, epoch, expectedOffset: next, nextOffset: next + 1 });
    next++;
    while ((await ledger.settle(EVENTS)) > 0);
  };
}

async function incidentsOf(database: Database): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT body -> 'anomalyIds' AS ids FROM documents WHERE kind = 'incident' ORDER BY time_ms`,
  );
  return rows.map(({ ids }) => ids);
}

withDatabase(
  'a rule holds for every reporter, also for one that starts later, until it is taken back',
  async ({ database, connect }) => {
    await using other = await connect();
    const bring = await openLane(database);
    const [first, second] = [openLedger(database), openLedger(other)];
    const seen = over(anomalyOf('cart', T0), T0 + 5 * MINUTE);
    await bring(first, T0 + HOUR, anomalyOf('cart', T0), seen);
    await second.command({ type: 'quiet_rules', rules: [ruleOf(seen)], revision: 7, atMs: T0 + HOUR });
    const again = anomalyOf('cart', T0 + DAY);
    await bring(first, T0 + DAY + HOUR / 2, again);
    await bring(openLedger(other), T0 + DAY + HOUR / 2 + 1, over(again, T0 + DAY + 10 * MINUTE));
    assert.deepEqual(await incidentsOf(database), [[seen.id]]);
    const { rows } = await database.query(`SELECT body -> 'quiet' ->> 'rule' AS rule FROM documents WHERE key = $1`, [again.id]);
    assert.deepEqual(rows, [{ rule: 'in-1.1' }]);
    await first.command({ type: 'quiet_rules', rules: [], revision: 9, atMs: T0 + 2 * DAY });
    const third = anomalyOf('cart', T0 + 2 * DAY);
    await bring(second, T0 + 2 * DAY + MINUTE, third);
    assert.deepEqual(await incidentsOf(database), [[seen.id], [third.id]]);
  },
);

withDatabase('what a rule has held back long enough calls although no other alert comes', async ({ database }) => {
  const bring = await openLane(database);
  const ledger = openLedger(database);
  const seen = over(anomalyOf('cart', T0), T0 + 5 * MINUTE);
  await ledger.command({ type: 'quiet_rules', rules: [ruleOf(seen)], revision: 1, atMs: T0 });
  const lasting = anomalyOf('cart', T0 + DAY);
  await bring(ledger, T0 + DAY + MINUTE, lasting);
  await bring(ledger, T0 + DAY + HOUR - 1);
  assert.deepEqual(await incidentsOf(database), []);
  await bring(ledger, T0 + DAY + HOUR);
  assert.deepEqual(await incidentsOf(database), [[lasting.id]]);
  const { rows } = await database.query(
    `SELECT body -> 'quiet' AS quiet, body ->> 'incidentId' AS id FROM documents WHERE key = $1`,
    [lasting.id],
  );
  assert.equal(rows[0]?.['quiet'] ?? null, null);
  assert.match(String(rows[0]?.['id']), /^in-/);
  // On the wall clock that time is long gone.
  const later = anomalyOf('cart', T0 + 2 * DAY);
  await bring(ledger, T0 + 2 * DAY + MINUTE, over(lasting, T0 + DAY + 2 * HOUR), later);
  assert.equal((await incidentsOf(database)).length, 1);
  assert.equal(await ledger.settle({ ...EVENTS, mode: 'wall', holdMs: 3_600_000 }), 1);
  assert.equal((await incidentsOf(database)).length, 2);
});

withDatabase('what people said and did not take back can be read in SQL', async ({ database }) => {
  const said: Feedback = {
    id: 'in-1.1',
    label: 'real',
    incidentId: 'in-1',
    services: ['cart'],
    from: '2025-10-08T10:00:00.000Z',
    to: null,
    by: 'ada',
    at: '2025-10-08T11:00:00.000Z',
    note: null,
    cause: null,
    rule: null,
    effect: null,
    takenBack: null,
  };
  const takenBack = { by: 'ada', at: said.at, reason: 'relabelled' as const };
  await openRecordStore(database).write([
    { key: 'feedback/said/in-1/1', value: { ...said, takenBack }, revision: 0 },
    { key: 'feedback/said/in-1/2', value: { ...said, id: 'in-1.2', label: 'expected' }, revision: 0 },
    { key: 'feedback/missed/1', value: { ...said, id: 'missed.1', label: 'missed', incidentId: null }, revision: 0 },
    { key: 'feedback/rules', value: { rules: [] }, revision: 0 },
    { key: 'feedbacker', value: { label: 'real', takenBack: null }, revision: 0 },
  ]);
  const { rows } = await database.query('SELECT id, label, incident_id, started FROM incident_feedback ORDER BY id');
  assert.deepEqual(
    rows.map(({ id, label, incident_id: incidentId }) => [id, label, incidentId]),
    [
      ['in-1.2', 'expected', 'in-1'],
      ['missed.1', 'missed', null],
    ],
  );
  assert.equal(new Date(rows[0]?.['started'] as string).toISOString(), said.from);
});
