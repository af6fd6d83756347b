import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { isoTime } from '../../lib/clock.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import type { Database, Session } from './database.ts';
import { putDocuments } from './document-writer.ts';
import { createOutbox } from './outbox.ts';
import { createReportJobs, scheduleReports, type ReportJob } from './report-jobs.ts';
import { testEngines, withDatabase } from './test-database.fixture.ts';

const INTERVAL_MS = 3_600_000;
const REBUILD_MS = 600_000;
const LEASE_MS = 60_000;
const OPTIONS = { intervalMs: INTERVAL_MS, rebuildMs: 600_000 };

const incidentOf = (changes: Partial<Incident> = {}): Incident => ({
  id: 'in-1',
  status: 'open',
  severity: 'high',
  title: 'cart: error rate 12 %',
  startedAt: '2025-10-08T10:00:00.000Z',
  detectedAt: '2025-10-08T10:00:20.000Z',
  updatedAt: '2025-10-08T10:00:20.000Z',
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  services: ['cart'],
  causes: [],
  anomalyIds: ['an-1'],
  mergedInto: null,
  ...changes,
});

const reportOf = ({ incident, nextVersion }: ReportJob): Report =>
  ({
    incidentId: incident.id,
    version: nextVersion,
    phase: 'facts',
    createdAt: isoTime(Date.now()),
    markdown: '# cart',
  }) as Report;

/** Stores an incident's newest form as the ledger does. */
async function tell(database: Database, incident: Incident, before?: Incident): Promise<void> {
  await database.transaction(async (session) => {
    await putDocuments(session, 'incident', [incident]);
    await scheduleReports(session, [{ incident, before }], INTERVAL_MS);
  });
}

/** Lets time pass for jobs by moving their times back. */
async function pass(database: Database, ms: number): Promise<void> {
  await database.query(
    `UPDATE report_jobs SET due_at = due_at - make_interval(secs => $1::float8 / 1000),
       claimed_until = claimed_until - make_interval(secs => $1::float8 / 1000)`,
    [ms],
  );
}

withDatabase(
  'one of many processes gets the job, and the report is stored once with its version',
  async ({ database, connect }) => {
    await using other = await connect();
    const [first, second] = [database, other].map((one) => createReportJobs(one, OPTIONS));
    assert.ok(first && second);
    await tell(database, incidentOf());
    const claims = await Promise.all([first, second, first, second].map((jobs, i) => jobs.claim(`owner-${i}`, LEASE_MS)));
    const [job, ...more] = claims.filter((one) => one !== undefined);
    assert.ok(job);
    assert.equal(more.length, 0);
    assert.deepEqual([job.incident, job.nextVersion, job.failures], [incidentOf(), 1, 0]);
    const report = reportOf(job);
    assert.equal(await second.finish(job, report), true);
    assert.equal(await second.finish(job, report), true, 'again, as after an answer that was lost');
    assert.equal(await second.finish(job, { ...report, createdAt: isoTime(Date.now() + 1000) }), false);
    assert.equal(await first.claim('owner-0', LEASE_MS), undefined);
    const { rows } = await database.query("SELECT version FROM documents WHERE kind = 'report'");
    assert.deepEqual(rows, [{ version: 1 }]);
    const said = await createOutbox(database).read(0, 10);
    assert.deepEqual(
      said.map(({ event }) => event),
      ['report'],
    );
  },
);

withDatabase('who took too long has lost the job to another', async ({ database }) => {
  const jobs = createReportJobs(database, OPTIONS);
  await tell(database, incidentOf());
  const slow = (await jobs.claim('slow', LEASE_MS)) as ReportJob;
  await pass(database, LEASE_MS + 1000);
  const next = (await jobs.claim('next', LEASE_MS)) as ReportJob;
  assert.ok(next);
  await jobs.fail(slow, 0);
  assert.equal(await jobs.finish(slow, reportOf(slow)), false);
  assert.equal(await jobs.finish(next, reportOf(next)), true);
});

withDatabase(
  'news that comes while a report is written is reported after the interval, and at once when it is the end',
  async ({ database }) => {
    const jobs = createReportJobs(database, OPTIONS);
    const [opened, grown] = [incidentOf(), incidentOf({ severity: 'critical' })];
    const over = incidentOf({ severity: 'critical', status: 'resolved', resolvedAt: '2025-10-08T10:30:00.000Z' });
    await tell(database, opened);
    const first = (await jobs.claim('a', LEASE_MS)) as ReportJob;
    await tell(database, grown, opened);
    assert.equal(await jobs.claim('b', LEASE_MS), undefined, 'not while another writes it');
    await jobs.finish(first, reportOf(first));
    assert.equal(await jobs.claim('b', LEASE_MS), undefined, 'not before the interval');
    await pass(database, INTERVAL_MS);
    const second = (await jobs.claim('b', LEASE_MS)) as ReportJob;
    assert.deepEqual([second.nextVersion, second.incident.severity], [2, 'critical']);
    await tell(database, over, grown);
    await jobs.finish(second, reportOf(second));
    const last = (await jobs.claim('c', LEASE_MS)) as ReportJob;
    assert.deepEqual([last.nextVersion, last.incident.status], [3, 'resolved']);
    await jobs.finish(last, reportOf(last));
    await tell(database, { ...over, title: 'another' }, over);
    assert.equal(await jobs.claim('c', LEASE_MS), undefined, 'what changes after the end can wait');
  },
);

withDatabase('an incident that is still open after a while is reported once more, changed or not', async ({ database }) => {
  const jobs = createReportJobs(database, { intervalMs: INTERVAL_MS, rebuildMs: REBUILD_MS });
  await tell(database, incidentOf());
  const first = (await jobs.claim('a', LEASE_MS)) as ReportJob;
  await jobs.finish(first, { ...reportOf(first), createdAt: isoTime(Date.now() - REBUILD_MS + 60_000) });
  assert.equal(await jobs.claim('a', LEASE_MS), undefined, 'not before its time');
  await database.query("UPDATE documents SET time_ms = time_ms - 60000 WHERE kind = 'report'");
  await pass(database, 60_000);
  const second = (await jobs.claim('a', LEASE_MS)) as ReportJob;
  assert.equal(second.nextVersion, 2);
  await jobs.finish(second, reportOf(second));
  await pass(database, 10 * REBUILD_MS);
  assert.equal(await jobs.claim('a', LEASE_MS), undefined, 'once');
});

withDatabase('an incident that is over is not reported again after a while', async ({ database }) => {
  const jobs = createReportJobs(database, { intervalMs: INTERVAL_MS, rebuildMs: REBUILD_MS });
  const over = incidentOf({ status: 'resolved', resolvedAt: '2025-10-08T10:05:00.000Z' });
  await tell(database, incidentOf());
  const first = (await jobs.claim('a', LEASE_MS)) as ReportJob;
  await jobs.finish(first, reportOf(first));
  await tell(database, over, incidentOf());
  const last = (await jobs.claim('a', LEASE_MS)) as ReportJob;
  assert.equal(last.incident.status, 'resolved');
  await jobs.finish(last, reportOf(last));
  await pass(database, 10 * REBUILD_MS);
  assert.equal(await jobs.claim('a', LEASE_MS), undefined);
});

withDatabase('after a failure the delay counts, whatever else happens', async ({ database }) => {
  const jobs = createReportJobs(database, OPTIONS);
  await tell(database, incidentOf());
  const job = (await jobs.claim('a', LEASE_MS)) as ReportJob;
  await jobs.fail(job, 8000);
  await tell(database, incidentOf({ status: 'resolved' }), incidentOf());
  assert.equal(await jobs.claim('a', LEASE_MS), undefined);
  await pass(database, 8000);
  assert.equal((await jobs.claim('a', LEASE_MS))?.failures, 1);
});

/** Resolves once a session waits for another's lock. */
async function waitForLock(database: Database): Promise<void> {
  for (;;) {
    const { rows } = await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (rows.length > 0) return;
    await setTimeout(10);
  }
}

/** Lets a transaction wait before a statement that begins with `sql`. */
function pausedBefore(database: Database, sql: string, pause: () => Promise<void>): Database {
  const pausing = (session: Session): Session => ({
    query: async (text, values) => {
      if (text.startsWith(sql)) await pause();
      return session.query(text, values);
    },
    execute: (text) => session.execute(text),
    copy: (text, input) => session.copy(text, input),
  });
  return {
    supports: database.supports,
    query: (text, values) => database.query(text, values),
    withSession: (work, timeoutMs) => database.withSession(work, timeoutMs),
    transaction: (work) => database.transaction((session) => work(pausing(session))),
    listen: (channel, onNotice) => database.listen(channel, onNotice),
    inspect: () => database.inspect(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

withDatabase(
  'news that comes in the moment in which a report is stored waits for the interval',
  async ({ database, connect }) => {
    await using other = await connect();
    const [opened, grown] = [incidentOf(), incidentOf({ severity: 'critical' })];
    let told: Promise<void> | undefined;
    const pause = async (): Promise<void> => {
      told = tell(other, grown, opened);
      await waitForLock(database);
    };
    const jobs = createReportJobs(pausedBefore(database, 'DELETE FROM report_jobs', pause), OPTIONS);
    await tell(database, opened);
    const job = (await jobs.claim('a', LEASE_MS)) as ReportJob;
    assert.equal(await jobs.finish(job, reportOf(job)), true);
    await told;
    assert.equal(await jobs.claim('a', LEASE_MS), undefined, 'not before the interval');
    await pass(database, INTERVAL_MS);
    assert.equal((await jobs.claim('a', LEASE_MS))?.nextVersion, 2);
  },
  { engines: testEngines().filter((engine) => engine === 'postgres') },
);

withDatabase(
  'what is added to a report is the next version or is refused, beside whoever writes one',
  async ({ database, connect }) => {
    await using other = await connect();
    const [first, second] = [database, other].map((one) => createReportJobs(one, OPTIONS));
    assert.ok(first && second);
    await tell(database, incidentOf());
    const job = (await first.claim('a', LEASE_MS)) as ReportJob;
    const narrated = (version: number): Report => ({ ...reportOf(job), version, phase: 'narrative' });
    assert.equal(await second.amend(narrated(2)), false, 'there is no first one');
    await first.finish(job, reportOf(job));
    const amended = await Promise.all([second.amend(narrated(2)), first.amend(narrated(2)), second.amend(narrated(9))]);
    assert.deepEqual(amended.toSorted(), [false, false, true]);
    const { rows } = await database.query("SELECT version, is_newest FROM documents WHERE kind = 'report' ORDER BY version");
    assert.deepEqual(
      rows,
      [1, 2].map((version) => ({ version, is_newest: version === 2 })),
    );
    assert.equal((await createOutbox(database).read(0, 10)).length, 2);
  },
);
