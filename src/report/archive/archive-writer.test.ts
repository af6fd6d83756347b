import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Report } from '../../model/report.ts';
import { createArchiveWriter } from './archive-writer.ts';
import type { Archive } from './archive.ts';
import { archiveWaiting } from './metrics.ts';

const incident = { startedAt: '2025-10-08T10:30:40.000Z' };
const reportOf = (incidentId: string, version = 1): Report => ({ incidentId, version }) as Report;

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** Keeps what is written in a list; answers `failing` times with an error, and holds writes up while `gate` is a promise. */
class ListArchive implements Archive {
  readonly name: Archive['name'];
  readonly supports: { versions: boolean };
  written: string[] = [];
  attempts = 0;
  failing = 0;
  gate: Promise<void> | undefined;

  constructor(versions: boolean, name: Archive['name'] = 's3') {
    this.name = name;
    this.supports = { versions };
  }

  async write({ incidentId, version }: Report): Promise<void> {
    this.attempts++;
    const fails = this.failing-- > 0;
    await this.gate;
    if (fails) throw new HeliosError('unavailable', 'cannot write: AccessDenied');
    this.written.push(`${incidentId} v${version}`);
  }

  remove(): Promise<number> {
    return Promise.resolve(0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function setUp(archives: Archive[]) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const note = (message: string, fields?: Record<string, unknown>): void =>
    void lines.push(`${message}: ${String(fields?.['incidentId'])} v${String(fields?.['version'])}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const counted: Record<string, number> = {};
  let waiting = 0;
  const metrics: Metrics = {
    add: ({ name }, value, labels) => {
      const key = `${name.replace('helios_report_', '')} ${labels?.['outcome'] ?? ''}`.trim();
      counted[key] = (counted[key] ?? 0) + value;
    },
    set: (definition, value, labels) => {
      if (definition === archiveWaiting && labels?.['archive'] === 's3') waiting = value;
    },
    observe: () => {},
  };
  const writer = createArchiveWriter({ archives, clock, logger, metrics });
  return { writer, clock, lines, counted, waiting: () => waiting };
}

test('an archive that is away is tried again with growing delays, is said to be, and holds up no other', async () => {
  const away = new ListArchive(true);
  const there = new ListArchive(true, 'folder');
  away.failing = 3;
  const { writer, clock, lines, counted, waiting } = setUp([away, there]);
  await writer.write(reportOf('i1'), incident);
  assert.deepEqual([away.written, there.written, waiting()], [[], ['i1 v1'], 1]);
  for (const delayMs of [1000, 2000, 4000]) {
    clock.advance(delayMs - 1);
    await settle();
    const attempts = away.attempts;
    clock.advance(1);
    await settle();
    assert.equal(away.attempts, attempts + 1, `after ${delayMs} ms`);
  }
  assert.deepEqual([away.written, waiting()], [['i1 v1'], 0]);
  assert.deepEqual(counted, { 'archive_failures_total retried': 3, archived_total: 2 });
  assert.deepEqual(lines, Array(3).fill('report not archived, will be tried again: i1 v1'));
});

test('a report that an archive never takes is given up after half an hour, and said to be lost there', async () => {
  const archive = new ListArchive(true);
  archive.failing = Infinity;
  const { writer, clock, lines, counted, waiting } = setUp([archive]);
  await writer.write(reportOf('i1'), incident);
  for (let minute = 0; minute < 60; minute++) {
    clock.advance(60_000);
    await settle();
  }
  assert.equal(counted['archive_failures_total lost'], 1);
  assert.equal(lines.at(-1), 'report not archived, it is only in the store: i1 v1');
  assert.deepEqual([waiting(), clock.pendingTimers, writer.lost], [0, 0, 1]);
});

test('where the newest version takes the place of others, an older one never comes after it', async () => {
  const archive = new ListArchive(false);
  archive.failing = 1;
  const { promise, resolve } = Promise.withResolvers<void>();
  archive.gate = promise;
  const { writer, clock, waiting } = setUp([archive]);
  const first = writer.write(reportOf('i1', 1), incident);
  const second = writer.write(reportOf('i1', 2), incident);
  await settle();
  assert.equal(archive.attempts, 1, 'one after the other');
  resolve();
  await Promise.all([first, second]);
  clock.advance(3_600_000);
  await settle();
  assert.deepEqual([archive.written, waiting()], [['i1 v2'], 0]);

  archive.failing = 1;
  await writer.write(reportOf('i2', 1), incident);
  await writer.write(reportOf('i2', 2), incident);
  clock.advance(3_600_000);
  await settle();
  assert.deepEqual(archive.written, ['i1 v2', 'i2 v2']);
});

test('where the newest version takes the place of others, an older one that comes later has nothing to do', async () => {
  const archive = new ListArchive(false);
  archive.failing = 1;
  const { writer, clock, lines } = setUp([archive]);
  await writer.write(reportOf('i1', 2), incident);
  await writer.write(reportOf('i1', 1), incident);
  clock.advance(1000);
  await settle();
  assert.deepEqual([archive.written, lines.length, writer.lost], [['i1 v2'], 1, 0]);
});

test('where versions are kept, each is written whatever becomes of the others', async () => {
  const archive = new ListArchive(true);
  archive.failing = 1;
  const { writer, clock } = setUp([archive]);
  await writer.write(reportOf('i1', 1), incident);
  await writer.write(reportOf('i1', 2), incident);
  clock.advance(1000);
  await settle();
  assert.deepEqual(archive.written, ['i1 v2', 'i1 v1']);
});

test('at most four reports are on the way to an archive, and at most five hundred held for it', async () => {
  const archive = new ListArchive(true);
  const { promise, resolve } = Promise.withResolvers<void>();
  archive.gate = promise;
  const { writer, counted, waiting } = setUp([archive]);
  const writes = Array.from({ length: 520 }, (_, i) => writer.write(reportOf(`i${i}`), incident));
  await settle();
  assert.deepEqual([archive.attempts, waiting(), counted['archive_failures_total lost']], [4, 500, 20]);
  resolve();
  await Promise.all(writes);
  assert.deepEqual([archive.written.length, waiting()], [500, 0]);
});

test('closing writes what is queued, gives up what would be tried again, and waits no longer than five seconds', async () => {
  const archive = new ListArchive(true);
  const { promise, resolve } = Promise.withResolvers<void>();
  archive.failing = 1;
  const { writer, clock, lines } = setUp([archive]);
  await writer.write(reportOf('i1'), incident);
  archive.gate = promise;
  const writes = Array.from({ length: 6 }, (_, i) => writer.write(reportOf(`q${i}`), incident));
  const closed = writer[Symbol.asyncDispose]();
  await settle();
  assert.deepEqual(lines.slice(1), ['report not archived, it is only in the store: i1 v1']);
  clock.advance(5000);
  resolve();
  await Promise.all([closed, ...writes]);
  assert.deepEqual(archive.written, ['q0 v1', 'q1 v1', 'q2 v1', 'q3 v1']);
  assert.equal(lines.filter((line) => /only in the store: q[45]/.test(line)).length, 2);
  assert.equal(clock.pendingTimers, 0);
});
