import assert from 'node:assert/strict';
import { createNames } from '../../model/event-batch.ts';
import type { FixtureEvent } from '../contract/event-fixture.ts';
import { batchOf, eventAt } from '../contract/event-fixture.ts';
import { changeOf } from '../contract/document-fixture.ts';
import { HOUR_MS, NO_UPDATE, T0 } from '../contract/store-fixture.ts';
import type { EventQuery, Store } from '../store.ts';
import type { Database } from './database.ts';
import { listStatement } from './document-reader.ts';
import { putDocuments } from './document-writer.ts';
import { beforeTime } from './event-cursor.ts';
import { eventStatement } from './event-query.ts';
import type { PartitionWriter } from './partition-writer.ts';
import { retain } from './retention.ts';
import { withDatabase } from './test-database.fixture.ts';
import { openTestStore, openSoundWriter } from './timescale-store.fixture.ts';

async function feed(writer: PartitionWriter, ...records: FixtureEvent[][]): Promise<void> {
  for (const events of records) {
    const offset = writer.offset();
    writer.observe(batchOf(createNames(), events), offset);
    await writer.commit(NO_UPDATE, offset + 1);
  }
}

/** Messages of every page, and how many items each page had. */
async function walk(
  store: Store,
  query: Partial<EventQuery>,
  between: () => Promise<void> = async () => {},
): Promise<{ messages: string[]; sizes: number[] }> {
  const messages: string[] = [];
  const sizes: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.events({ levels: [], limit: 3, ...query, ...(cursor !== null && { cursor }) });
    messages.push(...page.items.map(({ message }) => message));
    sizes.push(page.items.length);
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null);
  return { messages, sizes };
}

/** Events that no log holds: as many rows, a millisecond apart from T0 on, below any bound of partition 0. */
async function fillEvents(database: Database, count: number): Promise<void> {
  await database.query(
    `INSERT INTO events (time, log_partition, log_position, kind, level, service, environment, namespace, service_version, message)
     SELECT to_timestamp($1::float8 / 1000) + n * interval '1 millisecond', 0, n, 0, 2, 'cart', '', '', '', 'number ' || n || '.'
     FROM generate_series(1, $2::integer) AS n`,
    [T0, count],
  );
  await database.query(
    `INSERT INTO partition_progress (consumer_group, topic, log_partition, next_offset) VALUES ('storage-writers', 'events', 0, 1)`,
  );
  await database.query('ANALYZE events');
}

withDatabase('events of several partitions come in one order, and none that came after the first page', async (test) => {
  const [first, second] = [await openSoundWriter(test, 0), await openSoundWriter(test, 3)];
  const store = await openTestStore(test);
  await feed(
    first,
    [eventAt(T0, { message: 'a0' }), eventAt(T0 + 5000, { message: 'a5' })],
    [eventAt(T0, { message: 'a0 again' })],
  );
  await feed(second, [eventAt(T0, { message: 'b0' }), eventAt(T0 + 2000, { message: 'b2' })]);
  const expected = ['a5', 'b2', 'b0', 'a0 again', 'a0'];
  let later = 0;
  const { messages } = await walk(store, { limit: 1 }, async () => {
    await feed(first, [eventAt(T0 + 1000, { message: `later ${later++}` })]);
    await feed(await openSoundWriter(test, 3 + later), [eventAt(T0 - 1000, { message: 'a new partition' })]);
  });
  assert.deepEqual(messages, expected);
  const { messages: all } = await walk(store, {});
  assert.equal(all.length, expected.length + 2 * later);
});

withDatabase('a search whose time is over answers what it has, and its pages together hold every match', async (test) => {
  const writer = await openSoundWriter(test);
  const seconds = Array.from({ length: 40 }, (_, i) => i);
  await feed(
    writer,
    seconds.map((i) => eventAt(T0 + i * 1000, { message: i % 13 === 0 ? `rare ${i}` : `usual ${i}` })),
  );
  const store = await openTestStore(test, { searchLimits: { searchMs: 0 } });
  const { messages, sizes } = await walk(store, { text: 'RARE', fromMs: T0 });
  assert.deepEqual(messages, ['rare 39', 'rare 26', 'rare 13', 'rare 0']);
  assert.ok(sizes.filter((size) => size === 0).length > 10, 'a page a second of events');
  const whole = await openTestStore(test);
  assert.deepEqual((await walk(whole, { text: 'rare', limit: 10 })).sizes, [4]);
});

withDatabase('a cursor is gone once retention has passed it, and good as long as it has not', async (test) => {
  const days = [0, 1, 2, 3];
  await feed(
    await openSoundWriter(test),
    days.map((day) => eventAt(T0 + day * 24 * HOUR_MS, { message: `day ${day}` })),
  );
  const store = await openTestStore(test);
  const cursorAfter = async (limit: number): Promise<string> => (await store.events({ levels: [], limit })).nextCursor as string;
  const [late, early] = [await cursorAfter(1), await cursorAfter(3)];
  await retain(test.database, T0 + 2 * 24 * HOUR_MS - 9 * HOUR_MS);
  const { items } = await store.events({ levels: [], limit: 5, cursor: late });
  assert.deepEqual(
    items.map(({ message }) => message),
    ['day 2'],
  );
  await assert.rejects(store.events({ levels: [], limit: 5, cursor: early }), { code: 'gone', details: { field: 'cursor' } });
});

withDatabase('a store without events answers an empty page', async (test) => {
  const store = await openTestStore(test);
  assert.deepEqual(await store.events({ levels: [], limit: 5, fromMs: -1e18, toMs: 1e18 }), { items: [], nextCursor: null });
});

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  Plans?: Plan[];
}

/** Every node of a statement's plan. */
async function planOf(database: Database, { sql, values }: { sql: string; values: unknown[] }): Promise<Plan[]> {
  const { rows } = await database.query(`EXPLAIN (FORMAT JSON) ${sql}`, values);
  const plans = rows[0]?.['QUERY PLAN'] as { Plan: Plan }[];
  const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];
  return plans.flatMap(({ Plan: root }) => flat(root));
}

function assertIndexed(plan: Plan[], index: RegExp): void {
  const scans = plan.filter(({ 'Node Type': type }) => /Scan/.test(type) && !/Custom|Function|Result/.test(type));
  const names = scans.map((node) => `${node['Node Type']} ${node['Index Name'] ?? node['Relation Name'] ?? ''}`);
  assert.ok(names.length > 0 && names.every((name) => name.startsWith('Index')), names.join('; '));
  assert.ok(
    names.some((name) => index.test(name)),
    names.join('; '),
  );
  assert.ok(!plan.some(({ 'Node Type': type }) => type === 'Sort'), 'what the index orders is not sorted as a whole');
}

withDatabase('pages of events are read by the index on time', async (test) => {
  await fillEvents(test.database, 20_000);
  const before = { micros: (T0 + 9000) * 1000, partition: 0, position: '9000' };
  const bounds = [1];
  for (const slice of [
    { fromMicros: undefined, before: undefined, bounds },
    { fromMicros: undefined, before, bounds },
    { fromMicros: (T0 + 8000) * 1000, before: beforeTime((T0 + 9000) * 1000), bounds },
  ]) {
    assertIndexed(await planOf(test.database, eventStatement({ levels: [], limit: 100 }, slice, 101)), /events_by_time/);
  }
});

withDatabase('pages of documents are read by the index on kind and time', async (test) => {
  const { database } = test;
  const changes = Array.from({ length: 5000 }, (_, i) => changeOf(`c${i}`, T0 + i * 1000));
  await database.transaction((session) => putDocuments(session, 'change', changes));
  await database.query('ANALYZE documents');
  const store = await openTestStore(test);
  const { nextCursor } = await store.list('change', { limit: 50 });
  const statement = listStatement('change', { limit: 50, toMs: T0 + 4_000_000, cursor: nextCursor as string });
  assertIndexed(await planOf(database, statement), /documents_by_time/);
});
