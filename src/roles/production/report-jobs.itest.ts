import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { configSchema } from '../../config/config.ts';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { Incident } from '../../model/incident.ts';
import { createArchiveWriter } from '../../report/archive/archive-writer.ts';
import { archivePath, openLocalArchive } from '../../report/archive/local-archive.ts';
import { createReportWriter } from '../../report/report-writer.ts';
import type { Database } from '../../store/timescale/database.ts';
import { putDocuments } from '../../store/timescale/document-writer.ts';
import { createOutbox } from '../../store/timescale/outbox.ts';
import { type Faults, withFaults } from '../../store/timescale/partition-writer.fixture.ts';
import { createReportJobs, type ReportJobs, scheduleReports } from '../../store/timescale/report-jobs.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import { openTestStore } from '../../store/timescale/timescale-store.fixture.ts';
import { ReportWorker } from './report-jobs.ts';

const INTERVAL_MS = 3_600_000;
const faultyJobs = (database: Database, faults: Faults): ReportJobs =>
  createReportJobs(withFaults(database, faults), { intervalMs: INTERVAL_MS, rebuildMs: 600_000 });
const INCIDENT: Incident = {
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
};
const AWAY = new HeliosError('unavailable', 'cannot query: the connection is cut, a test says so');

/** Stores an incident's newest form as the ledger does. */
async function tell(database: Database, incident: Incident, before?: Incident): Promise<void> {
  await database.transaction(async (session) => {
    await putDocuments(session, 'incident', [incident]);
    await scheduleReports(session, [{ incident, before }], INTERVAL_MS);
  });
}

async function withWorker(
  { database, jobs }: { database: Database; jobs: ReportJobs },
  check: (worker: ReportWorker, isArchived: () => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'helios-reports-'));
  try {
    await using store = await openTestStore({ database });
    const parts = { clock: new ManualClock(), logger: silentLogger, metrics: silentMetrics };
    await using archive = createArchiveWriter({ archives: [openLocalArchive(directory)], ...parts });
    const config = configSchema.parse({}).report;
    const writer = createReportWriter({ store, config, clock: parts.clock, maxPackTokens: 8000 });
    const engines = { ...parts, owner: 'test' };
    const worker = new ReportWorker({ engines, store, jobs, writer, archive, onReport: () => {} });
    const file = path.join(directory, `${archivePath(INCIDENT.id, INCIDENT.startedAt)}.json`);
    await check(worker, async () => {
      await archive[Symbol.asyncDispose]();
      return existsSync(file);
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function reportsOf(database: Database): Promise<{ stored: unknown[]; announced: number }> {
  const { rows } = await database.query("SELECT version FROM documents WHERE kind = 'report' ORDER BY version");
  const said = await createOutbox(database).read(0, 10);
  return { stored: rows.map(({ version }) => version), announced: said.filter(({ event }) => event === 'report').length };
}

/** Steps until there is nothing to do; returns how often the database was away. */
async function workOff(worker: ReportWorker): Promise<number> {
  for (let failures = 0; ;) {
    try {
      if (!(await worker.step())) return failures;
    } catch (error) {
      assert.equal(error, AWAY);
      failures++;
    }
  }
}

withDatabase('a report whose commit got no answer is stored once, and its file is written', async ({ database }) => {
  let lost = 3;
  const after = (statements: readonly string[]): void => {
    if (statements.some((sql) => sql.includes('report_jobs')) && lost-- > 0) throw AWAY;
  };
  await withWorker({ database, jobs: faultyJobs(database, { after }) }, async (worker, isArchived) => {
    await tell(database, INCIDENT);
    assert.equal(await workOff(worker), 3);
    assert.deepEqual(await reportsOf(database), { stored: [1], announced: 1 });
    assert.ok(await isArchived());
  });
});

withDatabase('news that comes while a commit gets no answer is reported after the interval', async ({ database, connect }) => {
  await using other = await connect();
  const grown: Incident = { ...INCIDENT, severity: 'critical' };
  const jobs = createReportJobs(database, { intervalMs: INTERVAL_MS, rebuildMs: 600_000 });
  let isAway = true;
  const after = (): void => {
    if (isAway) throw AWAY;
  };
  // The news comes between the claim and the commit.
  const telling: typeof jobs = {
    ...faultyJobs(database, { after }),
    async claim(owner, leaseMs) {
      const job = await jobs.claim(owner, leaseMs);
      if (job && isAway) await tell(other, grown, INCIDENT);
      return job;
    },
  };
  await withWorker({ database, jobs: telling }, async (worker, isArchived) => {
    await tell(database, INCIDENT);
    await assert.rejects(worker.step(), AWAY);
    isAway = false;
    assert.equal(await workOff(worker), 0);
    assert.deepEqual(await reportsOf(database), { stored: [1], announced: 1 });
    assert.ok(await isArchived());
  });
});

withDatabase('a report that the database did not take is stored when it is back', async ({ database }) => {
  let left = 2;
  const before = (sql: string): void => {
    if (sql.includes('INSERT INTO documents') && left-- > 0) throw AWAY;
  };
  await withWorker({ database, jobs: faultyJobs(database, { before }) }, async (worker, isArchived) => {
    await tell(database, INCIDENT);
    assert.equal(await workOff(worker), 2);
    assert.deepEqual(await reportsOf(database), { stored: [1], announced: 1 });
    assert.ok(await isArchived());
  });
});
