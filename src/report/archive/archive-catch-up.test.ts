import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime, ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import { openArchiveCatchUp } from './archive-catch-up.ts';
import type { ArchiveWriter } from './archive-writer.ts';

const START_MS = Date.UTC(2025, 9, 8);
const HOUR_MS = 3_600_000;

async function settle(): Promise<void> {
  for (let i = 0; i < 300; i++) await Promise.resolve();
}

/** A store with the newest versions given, answered in pages of two, and a writer that notes what it is to write. */
function setUp(newest: Record<string, number>) {
  const clock = new ManualClock(START_MS);
  const written: string[] = [];
  const asked: number[] = [];
  const reportOf = (incidentId: string, version: number) => ({ incidentId, version, createdAt: isoTime(START_MS) }) as Report;
  const reports = Object.entries(newest).map(([id, version]) => reportOf(id, version));
  let failures = 0;
  const store = {
    list: (_kind: string, { fromMs, cursor = '0' }: { fromMs: number; cursor?: string }) => {
      asked.push((START_MS - fromMs) / HOUR_MS);
      if (failures-- > 0) return Promise.reject(new Error('the store is away'));
      const from = Number(cursor);
      const nextCursor = from + 2 < reports.length ? String(from + 2) : null;
      return Promise.resolve({ items: reports.slice(from, from + 2), nextCursor });
    },
    get: (kind: string, id: string, version = 1) => {
      if (kind === 'report') return Promise.resolve(version === 2 ? undefined : reportOf(id, version));
      return Promise.resolve(id === 'gone' ? undefined : ({ id, startedAt: isoTime(START_MS) } as Incident));
    },
  };
  let lost = 0;
  const archive: ArchiveWriter = {
    write: ({ incidentId, version }, _incident, options) => {
      written.push(`${incidentId} v${version}${options?.onlyMissing ? '' : ' over what is there'}`);
      return Promise.resolve();
    },
    get lost() {
      return lost;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const catchUp = openArchiveCatchUp({ store: store as never, archive, clock, logger: silentLogger });
  const pass = async (ms: number): Promise<string[]> => {
    clock.advance(ms);
    await settle();
    return written.splice(0);
  };
  return { clock, catchUp, pass, asked, lose: () => void lost++, fail: (times: number) => void (failures = times) };
}

test('after a start every version of the last day is archived where it is missing, the newest of an incident first', async () => {
  const { pass, asked, clock, catchUp } = setUp({ a: 3, b: 1, gone: 1, c: 1 });
  assert.deepEqual(await pass(60_000), ['a v3', 'a v1', 'b v1', 'c v1']);
  assert.ok(asked.every((hours) => hours > 23.9 && hours <= 24));
  await catchUp[Symbol.asyncDispose]();
  assert.equal(clock.pendingTimers, 0);
});

test('it is done again when reports were given up since, or when it failed', async () => {
  const { pass, lose, fail } = setUp({ a: 1 });
  fail(1);
  assert.deepEqual(await pass(60_000), []);
  assert.deepEqual(await pass(HOUR_MS), ['a v1']);
  assert.deepEqual(await pass(HOUR_MS), []);
  lose();
  assert.deepEqual(await pass(HOUR_MS), ['a v1']);
  assert.deepEqual(await pass(HOUR_MS), []);
});
