import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import type { Incident } from '../model/incident.ts';
import { incidentOf } from './scenario.fixture.ts';
import { ReportSchedule } from './schedule.ts';

const INTERVAL = 30_000;
const REBUILD = 600_000;

/** Lets every promise that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function bench() {
  const clock = new ManualClock(1_000_000);
  const started: { id: string; title: string; atMs: number }[] = [];
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const schedule = new ReportSchedule({
    clock,
    intervalMs: INTERVAL,
    rebuildMs: REBUILD,
    run: ({ id, title }: Incident) => {
      started.push({ id, title, atMs: clock.nowMs() - 1_000_000 });
      return new Promise((resolve, reject) => {
        pending.push({ resolve, reject });
      });
    },
  });
  const finish = async (error?: Error): Promise<void> => {
    const next = pending.shift();
    if (error) next?.reject(error);
    else next?.resolve();
    await settle();
  };
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };
  const titles = (): string[] => started.map(({ title }) => title);
  return { schedule, started, finish, advance, titles };
}

function incident(title: string, changed: Partial<Incident> = {}): Incident {
  return incidentOf([], { title, ...changed });
}

const resolved = (title: string): Incident => incident(title, { status: 'resolved', resolvedAt: '2025-10-08T11:00:00.000Z' });

test('an incident heard of first is reported at once, and a change of it one interval later', async () => {
  const { schedule, started, finish, advance } = bench();
  schedule.hear(incident('one'));
  await finish();
  schedule.hear(incident('two'));
  await advance(INTERVAL - 1);
  assert.equal(started.length, 1);
  await advance(1);
  assert.deepEqual(
    started.map(({ title, atMs }) => [title, atMs]),
    [
      ['one', 0],
      ['two', INTERVAL],
    ],
  );
});

test('changes within an interval make one report, of the newest', async () => {
  const { schedule, finish, advance, titles } = bench();
  schedule.hear(incident('one'));
  await finish();
  for (const title of ['two', 'three', 'four']) schedule.hear(incident(title));
  await advance(INTERVAL);
  await finish();
  await advance(5 * INTERVAL);
  assert.deepEqual(titles(), ['one', 'four']);
});

test('an incident that has not changed is reported again once, when it has been open for a while', async () => {
  const { schedule, started, finish, advance } = bench();
  schedule.hear(incident('one'));
  await finish();
  schedule.hear(incident('one'));
  await advance(REBUILD - 1);
  assert.equal(started.length, 1);
  await advance(1);
  await finish();
  await advance(10 * REBUILD);
  assert.deepEqual(
    started.map(({ atMs }) => atMs),
    [0, REBUILD],
  );
});

test('an incident that is over by then is not reported again, and one that was just reported is all the same', async () => {
  const { schedule, started, finish, advance } = bench();
  schedule.hear(incident('one'));
  await finish();
  schedule.hear(incident('other', { id: 'in-2' }));
  await finish();
  await advance(REBUILD - 1000);
  schedule.hear(resolved('end'));
  await finish();
  schedule.hear(incident('other, later', { id: 'in-2' }));
  await finish();
  await advance(1000);
  await finish();
  await advance(10 * REBUILD);
  assert.deepEqual(
    started.map(({ title, atMs }) => [title, atMs]),
    [
      ['one', 0],
      ['other', 0],
      ['end', REBUILD - 1000],
      ['other, later', REBUILD - 1000],
      ['other, later', REBUILD],
    ],
  );
});

test('a resolved incident is reported at once, and hearing of it again does nothing', async () => {
  const { schedule, finish, advance, titles } = bench();
  schedule.hear(incident('one'));
  await finish();
  await advance(1000);
  schedule.hear(resolved('end'));
  assert.deepEqual(titles(), ['one', 'end']);
  await finish();
  schedule.hear(resolved('end'));
  await advance(10 * INTERVAL);
  assert.deepEqual(titles(), ['one', 'end']);
});

test('an incident that opens again after its end is reported at once', async () => {
  const { schedule, finish, titles } = bench();
  schedule.hear(resolved('end'));
  await finish();
  schedule.hear(incident('again'));
  assert.deepEqual(titles(), ['end', 'again']);
});

test('two reports of one incident never run at once; those of others do', async () => {
  const { schedule, finish, titles } = bench();
  schedule.hear(incident('one'));
  schedule.hear(resolved('end'));
  schedule.hear(incident('other', { id: 'in-2' }));
  assert.deepEqual(titles(), ['one', 'other']);
  await finish();
  assert.deepEqual(titles(), ['one', 'other', 'end']);
});

test('at most four reports run at once, the others follow in order', async () => {
  const { schedule, finish, titles } = bench();
  for (const title of ['a', 'b', 'c', 'd', 'e', 'f']) schedule.hear(incident(title, { id: title }));
  assert.deepEqual(titles(), ['a', 'b', 'c', 'd']);
  await finish();
  assert.deepEqual(titles(), ['a', 'b', 'c', 'd', 'e']);
  for (let i = 0; i < 5; i++) await finish();
  assert.deepEqual(titles(), ['a', 'b', 'c', 'd', 'e', 'f']);
});

test('a failure is retried after 1 s, then 2 s, with the newest form', async () => {
  const { schedule, started, finish, advance } = bench();
  schedule.hear(incident('one'));
  await finish(new Error('away'));
  schedule.hear(incident('two'));
  await advance(1000);
  await finish(new Error('away'));
  await advance(1999);
  assert.equal(started.length, 2);
  await advance(1);
  await finish();
  await advance(10 * INTERVAL);
  assert.deepEqual(
    started.map(({ title, atMs }) => [title, atMs]),
    [
      ['one', 0],
      ['two', 1000],
      ['two', 3000],
    ],
  );
});

test('disposing waits for the running report, finishes what is due and drops what waits', async () => {
  const { schedule, finish, advance, titles } = bench();
  schedule.hear(incident('other', { id: 'in-2' }));
  await finish();
  schedule.hear(incident('other, later', { id: 'in-2' }));
  schedule.hear(incident('one'));
  schedule.hear(resolved('end'));
  let disposed = false;
  const disposing = schedule[Symbol.asyncDispose]().then(() => {
    disposed = true;
  });
  await settle();
  assert.equal(disposed, false);
  await finish();
  await finish();
  await disposing;
  schedule.hear(incident('late', { id: 'in-3' }));
  await advance(10 * INTERVAL);
  assert.deepEqual(titles(), ['other', 'one', 'end']);
});

test('an open incident that an earlier process has reported is reported when its time comes, and not before', async () => {
  const { schedule, started, finish, advance } = bench();
  const [known, changed] = ['1970-01-01T00:10:00.000Z', '1970-01-01T00:16:00.000Z'].map((updatedAt, i) =>
    incidentOf([], { id: `in-${i}`, title: updatedAt, updatedAt }),
  );
  // Reports of 100 s and of 90 s ago, by the clock of the test.
  schedule.resume(known as Incident, { firstMs: 900_000, reportedMs: 910_000 });
  schedule.resume(changed as Incident, { firstMs: 900_000, reportedMs: 910_000 });
  await settle();
  assert.deepEqual(
    started.map(({ id, atMs }) => [id, atMs]),
    [['in-1', 0]],
    'what changed since is due',
  );
  await finish();
  await advance(REBUILD - 100_000 - 1);
  assert.equal(started.length, 1);
  await advance(1);
  assert.deepEqual(
    started
      .slice(1)
      .map(({ id }) => id)
      .toSorted(),
    ['in-0', 'in-1'],
  );
  await finish();
  await finish();
  await advance(REBUILD);
  assert.equal(started.length, 3);
});
