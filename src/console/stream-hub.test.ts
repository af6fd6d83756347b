import assert from 'node:assert/strict';
import test from 'node:test';
import { sampleAnomaly, sampleChange, sampleIncident, sampleReport } from './console.fixture.ts';
import { StreamHub } from './stream-hub.ts';
import type { StreamReader, SubscribeRequest } from './stream-hub.ts';

const START_MS = 1000;
const FIRST_ID = 1_000_001;

/** A reader in memory that takes `capacity` bytes before it asks to wait. */
class MemoryReader implements StreamReader {
  readonly frames: string[] = [];
  capacity = Infinity;
  unsent = 0;
  closed: string | null = null;

  write(frame: Uint8Array): boolean {
    this.frames.push(Buffer.from(frame).toString());
    this.unsent += frame.length;
    return this.unsent < this.capacity;
  }

  unsentBytes(): number {
    return this.unsent;
  }

  close(reason: string): void {
    this.closed = reason;
  }

  /** Ids or names of what came after the preamble. */
  events(): string[] {
    const fields = this.frames.join('').split('\n');
    return fields.filter((line) => line.startsWith('event: ')).map((line) => line.slice(7));
  }

  ids(): number[] {
    const blocks = this.frames.join('').split('\n\n');
    return blocks.filter((block) => block.includes('data: ')).map((block) => Number(/id: (\d+)/.exec(block)?.[1]));
  }
}

function subscribe(hub: StreamHub, reader: StreamReader, request: Partial<SubscribeRequest> = {}) {
  return hub.subscribe({ reader, maxUnsentBytes: Infinity, types: [], ...request });
}

const change = (id: string) => ({ ...sampleChange, id });

test('a document is written to its readers before publish returns, as the body that GET answers', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  subscribe(hub, reader);
  hub.publish('anomaly', sampleAnomaly);
  assert.equal(reader.frames.at(-1), `id: ${FIRST_ID}\nevent: anomaly\ndata: ${JSON.stringify(sampleAnomaly)}\n\n`);
});

test('a new reader gets only what comes, and an id to resume from even before the first document', () => {
  const hub = new StreamHub({ startMs: START_MS });
  hub.publish('change', change('before'));
  const reader = new MemoryReader();
  subscribe(hub, reader);
  assert.match(reader.frames[0] as string, new RegExp(`^id: ${FIRST_ID}$`, 'm'));
  assert.deepEqual(reader.events(), []);
  const again = new MemoryReader();
  hub.publish('change', change('missed'));
  subscribe(hub, again, { lastEventId: String(FIRST_ID) });
  assert.deepEqual(again.ids(), [FIRST_ID + 1]);
});

test('a reader that resumes gets what it has missed in order, then what comes', () => {
  const hub = new StreamHub({ startMs: START_MS });
  for (const id of ['a', 'b', 'c']) hub.publish('change', change(id));
  const reader = new MemoryReader();
  subscribe(hub, reader, { lastEventId: String(FIRST_ID) });
  hub.publish('change', change('d'));
  assert.deepEqual(reader.ids(), [FIRST_ID + 1, FIRST_ID + 2, FIRST_ID + 3]);
  assert.deepEqual(reader.events(), ['change', 'change', 'change']);
});

test('a reader whose id is older than the ring is told to start anew, then gets what is left', () => {
  const hub = new StreamHub({ startMs: START_MS, maxEntries: 2 });
  for (const id of ['a', 'b', 'c', 'd']) hub.publish('change', change(id));
  const reader = new MemoryReader();
  subscribe(hub, reader, { lastEventId: String(FIRST_ID) });
  assert.deepEqual(reader.events(), ['reset', 'change', 'change']);
  assert.deepEqual(reader.ids(), [FIRST_ID + 1, FIRST_ID + 2, FIRST_ID + 3]);
});

test('ids of another run, ids not given yet and no ids at all begin with a reset', () => {
  const hub = new StreamHub({ startMs: START_MS });
  hub.publish('change', change('a'));
  for (const lastEventId of [String(FIRST_ID - 1000), String(FIRST_ID + 1), '', 'abc', '-1', '1e3', '9'.repeat(40)]) {
    const reader = new MemoryReader();
    subscribe(hub, reader, { lastEventId });
    assert.deepEqual(reader.events(), ['reset', 'change'], lastEventId);
  }
});

test('resuming from the last id needs no reset, also when nothing was published yet', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  subscribe(hub, reader, { lastEventId: String(FIRST_ID - 1) });
  hub.publish('change', change('a'));
  assert.deepEqual(reader.events(), ['change']);
});

test('ids grow across restarts', () => {
  const ids = [START_MS, START_MS + 1].map((startMs) => {
    const hub = new StreamHub({ startMs });
    const reader = new MemoryReader();
    subscribe(hub, reader);
    for (let i = 0; i < 900; i++) hub.publish('change', change(String(i)));
    return reader.ids();
  });
  const all = ids.flat();
  assert.deepEqual(
    all,
    all.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(all).size, 1800);
});

test('readers see only the types they ask for', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  subscribe(hub, reader, { types: ['incident', 'report'] });
  hub.publish('anomaly', sampleAnomaly);
  hub.publish('incident', sampleIncident);
  hub.publish('report', sampleReport);
  hub.publish('change', sampleChange);
  assert.deepEqual(reader.events(), ['incident', 'report']);
});

test('readers see only the service they ask for, by entity or by bare name', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const readers = new Map<string, MemoryReader>();
  for (const service of ['payment', 'prod/shop/payment', 'cart', 'none']) {
    const reader = new MemoryReader();
    readers.set(service, reader);
    subscribe(hub, reader, { service });
  }
  hub.publish('anomaly', sampleAnomaly);
  hub.publish('incident', sampleIncident);
  hub.publish('report', sampleReport);
  hub.publish('change', sampleChange);
  assert.deepEqual(readers.get('payment')?.events(), ['anomaly', 'incident']);
  assert.deepEqual(readers.get('prod/shop/payment')?.events(), ['anomaly', 'incident']);
  assert.deepEqual(readers.get('cart')?.events(), ['incident', 'report', 'change']);
  assert.deepEqual(readers.get('none')?.events(), []);
});

test('a live reader with too many unsent bytes is cut, and the others go on', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const slow = new MemoryReader();
  const fast = new MemoryReader();
  subscribe(hub, slow, { maxUnsentBytes: 1000 });
  subscribe(hub, fast, { maxUnsentBytes: Infinity });
  for (let i = 0; i < 20; i++) hub.publish('change', change(String(i)));
  assert.equal(slow.closed, 'slow');
  assert.ok(slow.events().length < 10);
  assert.equal(fast.closed, null);
  assert.equal(fast.events().length, 20);
});

test('a reader that resumes far behind is fed at its own pace and not cut for it', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const expected = Array.from({ length: 100 }, (_, i) => FIRST_ID + 1 + i);
  for (let i = 0; i <= 100; i++) hub.publish('change', change(String(i)));
  const reader = new MemoryReader();
  reader.capacity = 500;
  const subscription = subscribe(hub, reader, { lastEventId: String(FIRST_ID), maxUnsentBytes: 1000 });
  let rounds = 0;
  for (; reader.ids().length < 100; rounds++) {
    assert.ok(reader.unsent < 1000);
    reader.unsent = 0;
    subscription.resume();
  }
  assert.ok(rounds > 5);
  assert.equal(reader.closed, null);
  assert.deepEqual(reader.ids(), expected);
});

test('documents published while a reader catches up follow in order, once', () => {
  const hub = new StreamHub({ startMs: START_MS });
  for (let i = 0; i < 10; i++) hub.publish('change', change(String(i)));
  const reader = new MemoryReader();
  reader.capacity = 1;
  const subscription = subscribe(hub, reader, { lastEventId: String(FIRST_ID - 1), maxUnsentBytes: Infinity });
  hub.publish('change', change('late'));
  reader.capacity = Infinity;
  subscription.resume();
  hub.publish('change', change('later'));
  assert.deepEqual(
    reader.ids(),
    Array.from({ length: 12 }, (_, i) => FIRST_ID + i),
  );
});

test('a reader that the ring overtakes while it catches up is cut', () => {
  const hub = new StreamHub({ startMs: START_MS, maxEntries: 3 });
  for (const id of ['a', 'b', 'c']) hub.publish('change', change(id));
  const reader = new MemoryReader();
  reader.capacity = 1;
  const subscription = subscribe(hub, reader, { lastEventId: String(FIRST_ID - 1) });
  hub.publish('change', change('d'));
  assert.equal(reader.closed, null);
  hub.publish('change', change('e'));
  assert.equal(reader.closed, 'slow');
  subscription.resume();
  assert.deepEqual(reader.ids(), [FIRST_ID]);
});

test('a reader that is gone gets nothing more, nor pings', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  const subscription = subscribe(hub, reader);
  subscription.ping();
  assert.equal(reader.frames.at(-1), ': ping\n\n');
  subscription.cancel();
  const count = reader.frames.length;
  subscription.ping();
  hub.publish('change', sampleChange);
  assert.equal(reader.frames.length, count);
  assert.equal(reader.closed, null);
});

test('a stalled reader is cut by a ping when even that is too much', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  const subscription = subscribe(hub, reader, { maxUnsentBytes: 100 });
  reader.unsent = 95;
  subscription.ping();
  assert.equal(reader.closed, 'slow');
});

test('closing ends every reader once and ignores what is published later', () => {
  const hub = new StreamHub({ startMs: START_MS });
  const reader = new MemoryReader();
  subscribe(hub, reader);
  hub.close();
  hub.publish('change', sampleChange);
  assert.equal(reader.closed, 'shutdown');
  assert.equal(hub.closed, true);
  assert.deepEqual(reader.events(), []);
});

test('the readers, documents and cuts are counted', () => {
  const seen: string[] = [];
  const metrics = {
    add: ({ name }: { name: string }, value: number, labels = {}) => seen.push(`${name} ${value} ${JSON.stringify(labels)}`),
    set: ({ name }: { name: string }, value: number) => seen.push(`${name} ${value}`),
    observe: () => {},
  };
  const hub = new StreamHub({ startMs: START_MS, metrics });
  subscribe(hub, new MemoryReader(), { maxUnsentBytes: 100 });
  hub.publish('change', sampleChange);
  assert.deepEqual(seen, [
    'helios_console_stream_readers 1',
    'helios_console_stream_events_total 1 {"type":"change"}',
    'helios_console_stream_readers 0',
    'helios_console_stream_cuts_total 1 {}',
  ]);
});
