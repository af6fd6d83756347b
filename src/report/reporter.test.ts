import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { MetricDefinition } from '../lib/metrics.ts';
import type { Report } from '../model/report.ts';
import { createArchiveWriter } from './archive/archive-writer.ts';
import type { ArchiveWriter } from './archive/archive-writer.ts';
import { openLocalArchive } from './archive/local-archive.ts';
import { createReportWriter } from './report-writer.ts';
import { createReporter } from './reporter.ts';
import type { Reporter, ReporterDeps } from './reporter.ts';
import { badDeployment, ONSET_MS, testConfig } from './scenario.fixture.ts';

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface Bench {
  reporter: Reporter;
  archive: ArchiveWriter;
  clock: ManualClock;
  directory: string;
  announced: Report[];
  counted: string[];
}

async function withReporter(deps: Pick<ReporterDeps, 'store'> & Partial<ReporterDeps>, run: (bench: Bench) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'helios-reporter-'));
  const clock = new ManualClock(ONSET_MS + 240_000);
  const announced: Report[] = [];
  const counted: string[] = [];
  const count = ({ name }: MetricDefinition, _: number, labels: Record<string, string> = {}): void => {
    counted.push([name, ...Object.values(labels)].join(' '));
  };
  const metrics = { add: count, set() {}, observe: count };
  const onReport = (report: Report): void => {
    announced.push(report);
  };
  const common = { clock, logger: silentLogger, metrics };
  const archive = createArchiveWriter({ archives: [openLocalArchive(directory)], ...common });
  const writer = createReportWriter({ store: deps.store, config: testConfig, clock, maxPackTokens: 8000 });
  const reporter = createReporter({ config: testConfig, writer, archive, onReport, ...common, ...deps });
  try {
    await run({ reporter, archive, clock, directory, announced, counted });
  } finally {
    await reporter[Symbol.asyncDispose]();
    await archive[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
}

test('a report is stored, filed, announced and counted, each time as the next version', async () => {
  const { store, incident } = badDeployment();
  await withReporter({ store }, async ({ reporter, archive, directory, announced, counted }) => {
    const first = await reporter.report(incident);
    const second = await reporter.report(incident);
    assert.deepEqual([first.version, second.version], [1, 2]);
    assert.deepEqual(store.documents.report, [first, second]);
    assert.deepEqual(announced, [first, second]);
    await archive[Symbol.asyncDispose]();
    assert.equal(readFileSync(join(directory, '2025', '10', '08', 'in-1.md'), 'utf8'), second.markdown);
    assert.equal(first.createdAt, '2025-10-08T10:34:40.000Z');
    assert.ok(counted.includes('helios_report_seconds') && counted.includes('helios_report_built_total CONFIRMED'));
  });
});

test('reports asked for at the same time get different versions', async () => {
  const { store, incident } = badDeployment();
  await withReporter({ store }, async ({ reporter }) => {
    const reports = await Promise.all([reporter.report(incident), reporter.report(incident)]);
    assert.deepEqual(
      reports.map(({ version }) => version),
      [1, 2],
    );
  });
});

test('a store that is away rejects report, and onIncident tries again', async () => {
  const { store, incident } = badDeployment();
  await withReporter({ store }, async ({ reporter, clock, announced, counted }) => {
    store.failures = 1;
    await assert.rejects(reporter.report(incident), /the store is away/);
    store.failures = 1;
    reporter.onIncident(incident);
    while (!counted.includes('helios_report_failures_total build')) await settle();
    // The retry's timer is set in the same turn as the failure is counted, or in one of the next.
    await settle();
    clock.advance(1000);
    while (announced.length === 0) await settle();
    assert.equal(announced[0]?.version, 1);
  });
});

test('files that cannot be written do not fail the report and are written later', async () => {
  const { store, incident } = badDeployment();
  await withReporter({ store }, async ({ reporter, archive, clock, directory, announced, counted }) => {
    const blocker = join(directory, '2025');
    writeFileSync(blocker, '');
    const report = await reporter.report(incident);
    assert.deepEqual(announced, [report]);
    while (!counted.some((line) => line.includes('retried'))) await settle();
    rmSync(blocker);
    await settle();
    clock.advance(1000);
    await archive[Symbol.asyncDispose]();
    assert.equal(readFileSync(join(directory, '2025', '10', '08', 'in-1.md'), 'utf8'), report.markdown);
  });
});

test('a listener that throws does not fail the report', async () => {
  const { store, incident } = badDeployment();
  const onReport = (): void => {
    throw new Error('no listener');
  };
  await withReporter({ store, onReport }, async ({ reporter }) => {
    assert.equal((await reporter.report(incident)).version, 1);
  });
});

test('disposing waits for a report that is running', async () => {
  const { store, incident } = badDeployment();
  await withReporter({ store }, async ({ reporter, announced }) => {
    reporter.onIncident(incident);
    await reporter[Symbol.asyncDispose]();
    assert.equal(announced.length, 1);
  });
});
