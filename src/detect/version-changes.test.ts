import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { HeliosError } from '../lib/errors.ts';
import { createNames, type EventBatch } from '../model/event-batch.ts';
import type { Change } from '../model/incident.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import { createVersionTracker, type VersionTracker } from './version-changes.ts';

const START_MS = Date.parse('2025-10-08T10:00:00Z');

interface Seen {
  minute: number;
  version?: string;
  service?: string;
}

function batchOf(seen: Seen[], scanner = createJsonScanner(createNames())): EventBatch {
  const lines = seen.map(({ minute, version, service = 'cart' }) =>
    JSON.stringify({
      timestamp: new Date(START_MS + minute * 60_000).toISOString(),
      service,
      level: 'INFO',
      message: '',
      metadata: version === undefined ? {} : { 'service.version': version },
    }),
  );
  return scanner.scan(Buffer.from(lines.join('\n')), NO_LIMITS).batch;
}

function summary(changes: Change[]): string[] {
  return changes.map(({ at, type, previousVersion, version }) => {
    return `${(Date.parse(at) - START_MS) / 60_000} ${type} ${previousVersion} ${version}`;
  });
}

function changesOf(seen: Seen[], tracker: VersionTracker = createVersionTracker()): string[] {
  tracker.observe(batchOf(seen));
  return summary(tracker.drain());
}

/** One event a minute in [from, to). */
function steady(version: string, from: number, to: number): Seen[] {
  return Array.from({ length: to - from }, (_, i) => ({ minute: from + i, version }));
}

test('the first version ever seen is not a change, and events without a version are none', () => {
  assert.deepEqual(changesOf([{ minute: 0 }, ...steady('v1', 1, 30), { minute: 31 }]), []);
});

test('a new version is a deployment at the time of its first event', () => {
  const tracker = createVersionTracker();
  tracker.observe(batchOf([...steady('v1', 0, 5), ...steady('v2', 5, 9)]));
  const [change, ...others] = tracker.drain();
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...change, id: '' },
    {
      id: '',
      at: '2025-10-08T10:05:00.000Z',
      service: 'cart',
      type: 'deployment',
      version: 'v2',
      previousVersion: 'v1',
      description: 'service.version changed from v1 to v2',
      source: 'service.version',
    },
  );
  assert.deepEqual(tracker.drain(), []);
});

test('a rolling deployment that interleaves two versions is one change', () => {
  const seen = Array.from({ length: 300 }, (_, i) => ({ minute: 10 + i / 10, version: i % 3 === 0 ? 'v1' : 'v2' }));
  assert.deepEqual(changesOf([...steady('v1', 0, 10), ...seen, ...steady('v2', 41, 60)]), ['10.1 deployment v1 v2']);
});

test('going back to a version that was gone for ten minutes is a rollback, and its successor a deployment again', () => {
  assert.deepEqual(
    changesOf([...steady('v1', 0, 10), ...steady('v2', 10, 25), ...steady('v1', 25, 40), ...steady('v2', 40, 50)]),
    ['10 deployment v1 v2', '25 rollback v2 v1', '40 deployment v1 v2'],
  );
});

test('going back sooner than ten minutes is taken for a rolling deployment', () => {
  assert.deepEqual(changesOf([...steady('v1', 0, 10), ...steady('v2', 10, 18), ...steady('v1', 18, 30)]), [
    '10 deployment v1 v2',
  ]);
});

test('a service that was silent as a whole did not change', () => {
  assert.deepEqual(changesOf([...steady('v1', 0, 10), ...steady('v1', 2_000, 2_010)]), []);
  assert.deepEqual(changesOf([{ minute: 0, version: 'v1' }, ...steady('v2', 1, 10), ...steady('v2', 300, 310)]), [
    '1 deployment v1 v2',
  ]);
});

test('two versions of a quiet service that take turns are one change', () => {
  const turns = Array.from({ length: 40 }, (_, i) => ({ minute: 20 * i, version: i % 2 === 0 ? 'v1' : 'v2' }));
  const changes = changesOf([...steady('v1', -5, 0), ...turns.map((seen, i) => ({ ...seen, minute: seen.minute + (i % 3) }))]);
  assert.ok(changes.length <= 3, changes.join('; '));
  assert.equal(changes[0], '21 deployment v1 v2');
});

test('a late event of a version older than all that is known is not a deployment', () => {
  assert.deepEqual(changesOf([...steady('v2', 100, 110), { minute: 50, version: 'v1' }, ...steady('v2', 110, 120)]), []);
});

test('entities change independently', () => {
  const seen = [
    { minute: 0, version: 'v1', service: 'a' },
    { minute: 0, version: 'v2', service: 'b' },
    { minute: 1, version: 'v2', service: 'a' },
  ];
  const tracker = createVersionTracker();
  tracker.observe(batchOf(seen));
  assert.deepEqual(
    tracker.drain().map(({ service }) => service),
    ['a'],
  );
});

test('a service whose every instance has its own version is reported six times an hour at most', () => {
  const seen = Array.from({ length: 600 }, (_, i) => ({ minute: i / 10, version: `build-${i}` }));
  assert.equal(changesOf(seen).length, 6);
});

test('ids are the same in a replay and differ between changes', () => {
  const seen = [...steady('v1', 0, 10), ...steady('v2', 10, 30), ...steady('v3', 30, 40), ...steady('v2', 60, 70)];
  const ids = [0, 1].map(() => {
    const tracker = createVersionTracker();
    tracker.observe(batchOf(seen));
    return tracker.drain().map(({ id }) => id);
  });
  assert.deepEqual(ids[0], ids[1]);
  assert.equal(new Set(ids[0]).size, 3);
});

test('names beyond the capacity of the tables are a mixture and make no changes', () => {
  const scanner = createJsonScanner(createNames({ versions: 1, entities: 1 }));
  const tracker = createVersionTracker();
  tracker.observe(
    batchOf([{ minute: 0, version: 'v1' }, ...steady('v2', 1, 5), { minute: 6, version: 'v1', service: 'x' }], scanner),
  );
  assert.deepEqual(tracker.drain(), []);
});

test('more services than can be remembered push out the most silent ones', () => {
  const tracker = createVersionTracker();
  const services = Array.from({ length: 20_001 }, (_, i) => ({ minute: i / 1_000, version: 'v1', service: `s${i}` }));
  tracker.observe(batchOf(services, createJsonScanner(createNames({ entities: 30_000 }))));
  tracker.observe(batchOf([{ minute: 30, version: 'v2', service: 's1' }]));
  tracker.observe(batchOf([{ minute: 30, version: 'v2', service: 's19999' }]));
  assert.deepEqual(
    tracker.drain().map(({ service }) => service),
    ['s19999'],
  );
});

test('splitting the events into batches, renumbering the names or restoring in between changes nothing', () => {
  const step = fc.record({
    minute: fc.integer({ min: 0, max: 12 }),
    version: fc.constantFrom('v1', 'v2', 'v3'),
    service: fc.constantFrom('a', 'b'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, cut) => {
      let minute = 0;
      const seen = steps.map((next) => ({ ...next, minute: (minute += next.minute) }));
      const whole = createVersionTracker();
      whole.observe(batchOf(seen));
      const first = createVersionTracker();
      first.observe(batchOf(seen.slice(0, cut)));
      const second = createVersionTracker();
      second.restore(structuredClone(first.snapshot()));
      second.observe(batchOf(seen.slice(cut)));
      assert.deepEqual(second.drain(), whole.drain());
    }),
    { numRuns: 60 },
  );
});

test('what is not a snapshot is refused', () => {
  for (const state of [null, {}, { entities: [] }]) {
    assert.throws(
      () => createVersionTracker().restore(state),
      (error: HeliosError) => error.code === 'corrupt_data',
    );
  }
});
