import assert from 'node:assert/strict';
import { MINUTE, T0 } from '../../detect/anomaly.fixture.ts';
import { testConfig } from '../../detect/traffic.fixture.ts';
import { createIncidentBook } from '../../detect/incident-book.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import type { ControlMessage, FiledDocuments } from '../../model/alert.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import type { Incident } from '../../model/incident.ts';
import {
  cascadeAlerts,
  CASCADE_SERVICES,
  DEPLOYMENT,
  LONER,
  PARTITIONS,
  recordsByPartition,
  ROOT,
  type AlertRecord,
} from './cascade.fixture.ts';
import type { Database } from './database.ts';
import { createIncidentLedger, type AlertProgress, type IncidentLedger } from './incident-ledger.ts';
import { createOutbox } from './outbox.ts';
import { claimPartition } from './progress.ts';
import { withDatabase } from './test-database.fixture.ts';

const GROUP = 'reporters';
const TOPIC = 'anomaly-alerts';
const SETTLE = { mode: 'events', partitions: PARTITIONS, tracePartitions: PARTITIONS, holdMs: 1000 } as const;

function openLedger(database: Database): IncidentLedger {
  const book = createIncidentBook(testConfig());
  return createIncidentLedger({ database, book, reportIntervalMs: 30_000, logger: silentLogger });
}

async function settleAll(ledger: IncidentLedger, options: Parameters<IncidentLedger['settle']>[0] = SETTLE): Promise<void> {
  while ((await ledger.settle(options)) > 0);
}

/** One partition of the topic with its consumer. */
async function openLane(database: Database, partition: number, records: AlertRecord[]) {
  const { epoch, nextOffset } = await claimPartition(database, { group: GROUP, topic: TOPIC, partition }, 'test');
  let next = nextOffset;
  return {
    isDone: (): boolean => next >= records.length,
    /** `handsOver`: recorded by whoever settles. */
    async step(ledger: IncidentLedger, handsOver = false): Promise<void> {
      const progress: AlertProgress = {
        group: GROUP,
        topic: TOPIC,
        partition,
        epoch,
        expectedOffset: next,
        nextOffset: next + 1,
      };
      const messages = records[next] as AlertRecord;
      if (handsOver) await ledger.settle(SETTLE, [{ messages, progress }]);
      else await ledger.record(messages, progress);
      next++;
    },
  };
}

async function stored<T>(database: Database, kind: string): Promise<Map<string, T>> {
  const { rows } = await database.query('SELECT key, body FROM documents WHERE kind = $1 AND is_newest ORDER BY key', [kind]);
  return new Map(rows.map(({ key, body }) => [key as string, body as T]));
}

/** What one process makes of all alerts in order. */
function expected(): { anomalies: Map<string, Anomaly>; incidents: Map<string, Incident> } {
  const { anomalies, incidents }: FiledDocuments = createIncidentBook(testConfig()).apply(cascadeAlerts());
  const byId = <T extends { id: string }>(documents: T[]): Map<string, T> =>
    new Map(documents.map((one) => [one.id, one] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { anomalies: byId(anomalies), incidents: byId(incidents) };
}

/** Everything delivered to two ledgers that settle at the same time. */
async function deliver(first: Database, second: Database, seed: number): Promise<void> {
  const prng = createPrng(seed);
  const ledgers = [openLedger(first), openLedger(second)] as const;
  const lanes = await Promise.all(
    recordsByPartition(cascadeAlerts(), seed).map((records, partition) => openLane(first, partition, records)),
  );
  for (let open = lanes; open.length > 0; open = lanes.filter((lane) => !lane.isDone())) {
    const steps = open
      .filter(() => prng.next() < 0.4)
      .map((lane) => lane.step(ledgers[lanes.indexOf(lane) % 2 ? 1 : 0], prng.next() < 0.5));
    const settling = ledgers.filter(() => prng.next() < 0.5).map((ledger) => ledger.settle(SETTLE));
    await Promise.all([...steps, ...settling]);
  }
  await Promise.all(ledgers.map((ledger) => settleAll(ledger)));
}

async function checkEnd(database: Database): Promise<void> {
  const want = expected();
  assert.deepEqual(await stored<Anomaly>(database, 'anomaly'), want.anomalies);
  assert.deepEqual(await stored<Incident>(database, 'incident'), want.incidents);
  assert.deepEqual([...(await stored(database, 'change')).keys()], [DEPLOYMENT.id]);
  const incidents = [...want.incidents.values()];
  assert.deepEqual(
    incidents.map(({ anomalyIds }) => anomalyIds.length).toSorted((a, b) => a - b),
    [1, CASCADE_SERVICES],
  );
  const cascade = incidents.find(({ services }) => services.includes(ROOT));
  assert.equal(cascade?.causes[0]?.service, ROOT);
  assert.match(cascade.causes[0].reason, /60 s after a deployment to 2.*cpu is up/);
  assert.ok(!cascade.services.includes(LONER));
  const { rows: jobs } = await database.query('SELECT incident_id FROM report_jobs ORDER BY incident_id');
  assert.deepEqual(
    jobs.map((job) => job['incident_id']),
    [...want.incidents.keys()],
  );
  // The consoles hear each document in an order whose last word is what is stored.
  const said = await createOutbox(database).read(0, 10_000);
  const last = new Map(said.map(({ event, body }) => [`${event} ${(body as { id: string }).id}`, body]));
  assert.equal(last.size, want.anomalies.size + want.incidents.size + 1);
  for (const [id, incident] of want.incidents) assert.deepEqual(last.get(`incident ${id}`), incident);
}

for (const seed of [1, 2, 3]) {
  withDatabase(
    `two reporters make of shuffled and repeated alerts what one makes of them in order (seed ${seed})`,
    async (run) => {
      await using other = await run.connect();
      await deliver(run.database, other, seed);
      await checkEnd(run.database);
    },
  );
}

withDatabase('a reporter that dies between keeping and settling leaves its work to the next', async ({ database, connect }) => {
  const first = openLedger(database);
  for (const [partition, records] of recordsByPartition(cascadeAlerts(), 4).entries()) {
    const lane = await openLane(database, partition, records);
    while (!lane.isDone()) await lane.step(first);
  }
  await using other = await connect();
  const failing: Database = {
    ...other,
    query: (sql, values) => other.query(sql, values),
    withSession: (work) => other.withSession(work),
    transaction: (work) =>
      other.transaction(async (session) => {
        await work(session);
        throw new Error('killed before the commit');
      }),
    inspect: () => other.inspect(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const dying = openLedger(failing);
  await assert.rejects(dying.settle(SETTLE), /killed/);
  await assert.rejects(dying.settle(SETTLE), /killed/);
  assert.equal((await stored(database, 'incident')).size, 0);
  await settleAll(openLedger(other));
  await checkEnd(database);
});

withDatabase(
  'what another has taken over keeps nothing, and a partition that is silent holds the others in event time',
  async ({ database }) => {
    const ledger = openLedger(database);
    const [records] = recordsByPartition(cascadeAlerts(), 5) as [AlertRecord[]];
    const zombie = await openLane(database, 0, records);
    const lane = await openLane(database, 0, records);
    await assert.rejects(zombie.step(ledger), { code: 'conflict' });
    assert.equal((await database.query('SELECT FROM pending_alerts')).rowCount, 0);
    while (!lane.isDone()) await lane.step(ledger);
    assert.equal(await ledger.settle(SETTLE), 0);
    assert.equal(await ledger.settle({ ...SETTLE, mode: 'wall', holdMs: 3_600_000 }), 0);
    assert.ok(
      (await ledger.settle({ ...SETTLE, mode: 'wall', holdMs: 0 })) > 0,
      'on the wall clock it waits no longer than that',
    );
    assert.equal(await ledger.settle({ ...SETTLE, partitions: 1, tracePartitions: 0 }), 0, 'and settles nothing twice');
  },
);

withDatabase('decisions are carried out by whoever is asked, and go to the detectors in order', async ({ database, connect }) => {
  await using other = await connect();
  const [first, second] = [openLedger(database), openLedger(other)];
  const alerts = cascadeAlerts().filter(({ atMs }) => atMs < T0 + 5 * MINUTE);
  for (const [partition, records] of recordsByPartition(alerts, 6).entries()) {
    const lane = await openLane(database, partition, records);
    while (!lane.isDone()) await lane.step(first);
  }
  await settleAll(first);
  const [incident] = [...(await stored<Incident>(database, 'incident')).values()];
  const incidentId = incident?.id as string;
  const said = { incidentId, by: 'kim', atMs: T0 + 6 * MINUTE };
  const acknowledged = await second.command({ type: 'acknowledge', ...said });
  assert.equal('incident' in acknowledged && acknowledged.incident?.status, 'acknowledged');
  const resolved = await first.command({ type: 'resolve', ...said });
  assert.equal('incident' in resolved && resolved.incident?.acknowledgedBy, 'kim');
  assert.deepEqual(await second.command({ type: 'new_normal', decision: 'accept', ...said }), { refusal: 'conflict' });
  assert.deepEqual(await second.command({ type: 'resolve', ...said, incidentId: 'in-none' }), { refusal: 'not_found' });
  await second.command({ type: 'change', change: { ...DEPLOYMENT, id: 'ch-2' } });
  assert.equal((await stored<Incident>(database, 'incident')).get(incidentId)?.status, 'resolved');
  const sent: [string, ControlMessage['type']][] = [];
  await assert.rejects(
    first.drainControl(() => Promise.reject(new Error('no broker'))),
    /no broker/,
  );
  const send = (key: string, { type }: ControlMessage): Promise<void> => Promise.resolve(void sent.push([key, type]));
  assert.equal(await second.drainControl(send), 3);
  assert.equal(await first.drainControl(send), 0);
  assert.deepEqual(sent, [
    [`acknowledge ${incidentId}`, 'acknowledge'],
    [`resolve ${incidentId}`, 'resolve'],
    ['change ch-2', 'change'],
  ]);
});

withDatabase('a state that cannot be read is begun anew, and settled alerts are forgotten in time', async ({ database }) => {
  await database.query('INSERT INTO incident_desk (state) VALUES ($1)', [Uint8Array.of(1, 2, 3)]);
  const ledger = openLedger(database);
  for (const [partition, records] of recordsByPartition(cascadeAlerts(), 7).entries()) {
    const lane = await openLane(database, partition, records);
    while (!lane.isDone()) await lane.step(ledger);
  }
  await settleAll(ledger);
  await checkEnd(database);
  assert.equal(await ledger.trim(3_600_000), 0);
  assert.equal(await ledger.trim(-1000), cascadeAlerts().length);
});
