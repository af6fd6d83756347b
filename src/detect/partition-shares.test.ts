import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng, type Prng } from '../lib/prng.ts';
import type { AlertMessage } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Detector } from './detector.ts';
import { createDetector } from './engine.ts';
import { decodePartial, encodePartial, type AddressedPartial } from './partial-record.ts';
import { split } from './partition-run.fixture.ts';
import { PartitionShares, type PartitionMap } from './partition-shares.ts';
import { during, fillStep, HOUR_MS, newBatch, START_MS, steady, STEP_MS, testConfig } from './traffic.fixture.ts';

const FAULT_MS = START_MS + (2 * HOUR_MS) / 3;
const FAULT_END_MS = FAULT_MS + 6 * 60_000;
const END_MS = FAULT_END_MS + 5 * 60_000;
const PARTITIONS = 3;
const SERVICES = [
  during(steady('hot', { rate: 30 }), FAULT_MS, FAULT_END_MS, () => ({ errorRate: 0.2, latencyMs: 150 })),
  steady('cold'),
  steady('other-1'),
  steady('other-2'),
];
const HOMES: Record<string, number> = { hot: 0, cold: 0, 'other-1': 1, 'other-2': 2 };
const MAP: PartitionMap = {
  homeOf: (entity) => HOMES[entity] as number,
  othersOf: (entity) => (entity === 'hot' ? [1, 2] : []),
  homesBefore: (partition) => [0, 1, 2].filter((home) => home !== partition),
};

const WINDOW = {
  entity: 'hot',
  isLog: false,
  step: 1,
  count: 2,
  errorCount: 1,
  latencyCount: 1,
  latencySum: 0.1,
  latencySquareSum: 0.01,
  buckets: [7],
  counts: [1],
  endpoints: ['/a"b', '/ü'],
};

type Entry = { events: EventBatch } | { timeMs: number } | { partial: Uint8Array };

const nameOf = (batch: EventBatch, i: number): string => batch.names.entities.name(batch.entity[i] as number);

/** Everything that is sent, step by step, as the entries of each partition. Whole latencies, so that sums do not depend on their order. */
function* stream(partitionOf: (batch: EventBatch, i: number) => number): Generator<Entry[][]> {
  const { names } = newBatch();
  for (let at = START_MS; at < END_MS; at += STEP_MS) {
    const batch = newBatch(names);
    fillStep(batch, SERVICES, at, createPrng(1_000_003 + at / STEP_MS));
    for (let i = 0; i < batch.count; i++) batch.latency[i] = Math.round(batch.latency[i] as number);
    const newestMs = batch.timestamp[batch.count - 1] as number;
    yield split(batch, PARTITIONS, (i) => partitionOf(batch, i)).map((events) => [{ events }, { timeMs: newestMs }]);
  }
}

const spreadOf = (batch: EventBatch, i: number): number =>
  nameOf(batch, i) === 'hot' ? (i >>> 3) % PARTITIONS : (HOMES[nameOf(batch, i)] as number);

/** One partition's detector at its log: it may crash, and then repeats what it has not committed. */
class Member {
  readonly log: Entry[] = [];
  readonly told = new Map<string, Anomaly>();
  readonly #partition: number;
  readonly #send: (partial: AddressedPartial) => void;
  #detector: Detector;
  #at = 0;
  #committed: { at: number; state: Uint8Array };

  constructor(partition: number, send: (partial: AddressedPartial) => void) {
    this.#partition = partition;
    this.#send = send;
    this.#detector = this.#open();
    this.#committed = { at: 0, state: this.#detector.snapshot() };
  }

  get isBehind(): boolean {
    return this.#at < this.log.length;
  }

  read(entries: number): void {
    for (let i = 0; i < entries && this.isBehind; i++) {
      const offset = this.#at++;
      const entry = this.log[offset] as Entry;
      const detector = this.#detector;
      if ('timeMs' in entry) detector.advanceTo(entry.timeMs);
      else if ('events' in entry) detector.observe(entry.events, 0, '');
      else {
        const partial = decodePartial(entry.partial);
        assert.ok(!('reason' in partial), JSON.stringify(partial));
        detector.observePartial(partial);
      }
      for (const partial of detector.drainPartials({ offset, receivedAtMs: offset, clientId: '' }, 'timeMs' in entry))
        this.#send(partial);
      this.#hear(detector.advance(null).alerts);
    }
  }

  commit(): void {
    this.#committed = { at: this.#at, state: this.#detector.snapshot() };
  }

  crash(): void {
    this.#detector = this.#open();
    this.#detector.restore(this.#committed.state);
    this.#at = this.#committed.at;
  }

  late(): number {
    return this.#detector.status().lateEvents;
  }

  #open(): Detector {
    return createDetector({ config: testConfig(), clock: 'events', seed: 1, partition: this.#partition, map: MAP });
  }

  #hear(alerts: readonly AlertMessage[]): void {
    for (const alert of alerts) {
      if (alert.type === 'anomaly') this.told.set(`${alert.anomaly.id} ${alert.atMs}`, structuredClone(alert.anomaly));
    }
  }
}

function openMembers(): Member[] {
  const members: Member[] = [];
  const send = ({ home, partial }: AddressedPartial): void => {
    for (const value of encodePartial(partial)) members[home]?.log.push({ partial: value });
  };
  for (let partition = 0; partition < PARTITIONS; partition++) members.push(new Member(partition, send));
  return members;
}

/** Reads everything, in whatever order the members come to it. */
function readAll(members: readonly Member[], prng: Prng, faults: boolean): void {
  for (let behind = members.filter(({ isBehind }) => isBehind); behind.length > 0; behind = members.filter((m) => m.isBehind)) {
    const member = behind[prng.below(behind.length)] as Member;
    member.read(1 + prng.below(40));
    const luck = faults ? prng.next() : 1;
    if (luck < 0.05) member.commit();
    else if (luck < 0.08) member.crash();
  }
}

function wholeRun(): Map<string, Anomaly> {
  const members = openMembers();
  for (const step of stream((batch, i) => HOMES[nameOf(batch, i)] as number)) {
    for (const [partition, entries] of step.entries()) members[partition]?.log.push(...entries);
    for (const member of members) member.read(Infinity);
  }
  return (members[0] as Member).told;
}

test('a service whose events are in three partitions is judged as if one detector saw them in order', () => {
  const expected = wholeRun();
  const signals = new Set([...expected.values()].map(({ service, signal }) => `${service} ${signal}`));
  assert.ok(signals.has('hot error_rate') && signals.has('hot latency'), [...signals].join());
  for (const [seed, backlog, faults] of [
    [1, false, true],
    [2, true, false],
    [3, true, true],
  ] as const) {
    const members = openMembers();
    const prng = createPrng(seed);
    for (const step of stream(spreadOf)) {
      for (const [partition, entries] of step.entries()) members[partition]?.log.push(...entries);
      // With a backlog, partials lie behind everything that their readers have of their own.
      if (!backlog) readAll(members, prng, faults);
    }
    readAll(members, prng, faults);
    const [home, ...others] = members as [Member, Member, Member];
    assert.deepEqual(home.told, expected, `seed ${seed}`);
    assert.equal(home.late(), 0);
    for (const { told } of others) assert.deepEqual([...told.values()], []);
  }
});

test('who waits for a partition in vain goes on after five minutes, and does not take what is missing for a drop', () => {
  const open = (partition: number): Detector =>
    createDetector({ config: testConfig(), clock: 'wall', seed: 1, partition, map: MAP });
  const detectors = [open(0), open(1), open(2)] as const;
  const outage = { fromMs: START_MS + HOUR_MS, untilMs: START_MS + HOUR_MS + 20 * 60_000 };
  const waiting: AddressedPartial[] = [];
  const told: AlertMessage[] = [];
  let mostHeldMs = 0;
  const { names } = newBatch();
  for (let at = START_MS; at < START_MS + 2 * HOUR_MS; at += STEP_MS) {
    const batch = newBatch(names);
    fillStep(batch, [steady('hot', { rate: 30 }), steady('cold'), steady('other-1'), steady('other-2')], at, createPrng(at));
    for (const [partition, events] of split(batch, PARTITIONS, (i) => spreadOf(batch, i)).entries()) {
      const detector = detectors[partition] as Detector;
      if (events.count > 0) detector.observe(events, at + STEP_MS, 'client');
      detector.advance(at + STEP_MS);
      waiting.push(...detector.drainPartials({ offset: at, receivedAtMs: at, clientId: 'client' }, false));
    }
    const isOut = at >= outage.fromMs && at < outage.untilMs;
    const arriving = isOut ? waiting.filter(({ partial }) => partial.source !== 2) : waiting.splice(0);
    if (isOut) waiting.splice(0, waiting.length, ...waiting.filter(({ partial }) => partial.source === 2));
    for (const { home, partial } of arriving) detectors[home]?.observePartial(partial);
    told.push(...detectors[0].advance(at + STEP_MS).alerts);
    mostHeldMs = Math.max(mostHeldMs, at - detectors[0].status().watermarkMs);
  }
  const anomalies = told.flatMap((alert) => (alert.type === 'anomaly' ? [alert.anomaly] : []));
  assert.deepEqual(
    anomalies.filter(({ state }) => state === 'firing').map(({ service, signal, startedAt }) => [service, signal, startedAt]),
    [],
  );
  assert.ok(mostHeldMs >= 4 * 60_000 && mostHeldMs <= 6 * 60_000, `${mostHeldMs} ms`);
  assert.ok(detectors[0].status().lateEvents > 5000);
});

test('sums are added once, however often they are told, and again under the offsets of a log that was made anew', () => {
  const shares = new PartitionShares({
    map: MAP,
    partition: 0,
    clock: 'events',
    pool: [],
    latenessMs: 0,
    maxEntities: 10,
  });
  const head = { source: 1, part: 0, toMs: 0, client: '', windows: [WINDOW] };
  const isNew = (offset: number, receivedAtMs: number, part = 0): boolean =>
    shares.isNew({ ...head, offset, receivedAtMs, part });
  assert.deepEqual([isNew(4, 10), isNew(7, 9), isNew(4, 10), isNew(7, 9), isNew(7, 9, 1)], [true, true, false, false, true]);
  assert.deepEqual([isNew(2, 8), isNew(2, 11), isNew(2, 11), isNew(3, 11)], [false, true, false, true]);
  assert.ok(shares.isNew({ ...head, source: 2, offset: 2, receivedAtMs: 1 }), 'sources are apart');
});

test('a record of sums comes back as it was, in pieces if it is large; damage is a reason', () => {
  const windows = Array.from({ length: 5000 }, (_, step) => ({ ...WINDOW, step }));
  const partial = { source: 2, offset: 17, receivedAtMs: 5, part: 0, toMs: 1.5, client: 'c', windows };
  const pieces = encodePartial(partial).map((value) => {
    assert.ok(value.length < 400_000);
    const piece = decodePartial(value);
    assert.ok(!('reason' in piece));
    return piece;
  });
  assert.ok(pieces.length > 1);
  assert.deepEqual(
    pieces.map(({ part }) => part),
    pieces.map((_, i) => i),
  );
  assert.deepEqual({ ...partial, windows: pieces.flatMap((piece) => piece.windows) }, partial);
  for (const text of ['', '{}', '{"source":1', JSON.stringify({ ...partial, windows: [{ ...windows[0], buckets: [99_999] }] })]) {
    assert.ok('reason' in decodePartial(Buffer.from(text)), text);
  }
});
