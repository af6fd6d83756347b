import assert from 'node:assert/strict';
import test from 'node:test';
import type { Prng } from '../../lib/prng.ts';
import { createPrng } from '../../lib/prng.ts';
import { entityMatches } from '../../model/entity.ts';
import type { Event } from '../../model/event.ts';
import type { FixtureEvent } from '../contract/event-fixture.ts';
import { eventAt, MemoryEventSource, rowOf } from '../contract/event-fixture.ts';
import { T0 } from '../contract/store-fixture.ts';
import type { EventQuery, Page } from '../store.ts';
import { BlockCache } from './block-cache.ts';
import { EventSearch } from './event-search.ts';
import { silentLogger } from '../../lib/logger.ts';

const ALL: EventQuery = { levels: [], limit: 10 };

function searchOver(log: MemoryEventSource, options: { maxScanBytes?: number; warnings?: string[] } = {}): EventSearch {
  const logger = { ...silentLogger, warn: (message: string) => void options.warnings?.push(message) };
  return new EventSearch({ source: log, committedOffset: () => log.nextOffset, logger, ...options });
}

async function allItems(
  search: EventSearch,
  query: EventQuery,
  between: (page: Page<Event>) => void = () => {},
): Promise<Event[]> {
  const items: Event[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<Event> = await search.page({ ...query, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.nextCursor;
    between(page);
  }
  return items;
}

const messages = (items: readonly Event[]): string[] => items.map(({ message }) => message);

test('only blocks that can hold an event of the page are read, the newest first', async () => {
  const log = new MemoryEventSource();
  for (const second of [1, 9, 3, 7, 5]) {
    log.append([eventAt(T0 + second * 1000, { message: `a${second}` }), eventAt(T0 + second * 1000 - 500)]);
  }
  log.append([eventAt(T0 + 20_000, { service: 'other' })]);
  const search = searchOver(log);
  const page = await search.page({ ...ALL, service: 'cart', limit: 3 });
  assert.deepEqual(messages(page.items), ['a9', 'ok', 'a7']);
  assert.deepEqual(log.reads, [1, 3]);
  log.reads.length = 0;
  await search.page({ ...ALL, fromMs: T0 + 2000, toMs: T0 + 4000 });
  assert.deepEqual(log.reads, [2]);
});

test('blocks that overlap in time are merged, and one whose entities are unknown is read', async () => {
  const log = new MemoryEventSource();
  log.append([eventAt(T0, { message: 'm0' }), eventAt(T0 + 9000, { message: 'm9' })]);
  log.append([eventAt(T0 + 4000, { message: 'm4' }), eventAt(T0 + 5000, { message: 'm5' })], { knowsEntities: false });
  const items = await allItems(searchOver(log), { ...ALL, service: 'cart', limit: 1 });
  assert.deepEqual(messages(items), ['m9', 'm5', 'm4', 'm0']);
});

test('sealing between two pages, which regroups records into other blocks, shifts nothing', async () => {
  const log = new MemoryEventSource();
  const events = Array.from({ length: 12 }, (_, i) => eventAt(T0, { message: `m${i}` }));
  for (let i = 0; i < 12; i += 2) log.append(events.slice(i, i + 2));
  const search = searchOver(log);
  const sealed = new MemoryEventSource();
  sealed.append(events);
  let isSealed = false;
  const items = await allItems(search, { ...ALL, limit: 5 }, () => {
    if (isSealed) return;
    isSealed = true;
    sealed.append([eventAt(T0, { message: 'late' })]);
    log.blocks = () => sealed.blocks(2);
  });
  assert.deepEqual(messages(items), messages(events as unknown as Event[]).toReversed());
});

test('a cursor that retention has passed is gone', async () => {
  const log = new MemoryEventSource();
  for (let i = 0; i < 6; i++) log.append([eventAt(T0 + i, { message: `m${i}` })]);
  const search = searchOver(log);
  const { nextCursor } = await search.page({ ...ALL, limit: 2 });
  log.dropBefore(4);
  const cursor = nextCursor as string;
  assert.deepEqual(messages((await search.page({ ...ALL, cursor })).items), []);
  log.dropBefore(5);
  await assert.rejects(search.page({ ...ALL, cursor }), { code: 'gone', details: { field: 'cursor' } });
  log.dropBefore(6);
  await assert.rejects(search.page({ ...ALL, cursor }), { code: 'gone' });
});

test('a block that cannot be read is named and the rest is served', async () => {
  const log = new MemoryEventSource();
  for (let i = 0; i < 3; i++) log.append([eventAt(T0 + i, { message: `m${i}` })]);
  log.replace(1, {
    read() {
      throw new Error('bad checksum');
    },
  });
  log.replace(0, { read: () => Buffer.from('{"broken\n\n[1]\n') });
  const warnings: string[] = [];
  assert.deepEqual(messages((await searchOver(log, { warnings }).page(ALL)).items), ['m2']);
  assert.deepEqual(warnings, ['a block of events cannot be read']);
});

test('past the scan limit a page is cut short with a cursor, and the pages together miss nothing', async () => {
  const log = new MemoryEventSource();
  for (let i = 0; i < 20; i++) {
    log.append([eventAt(T0 + i * 10, { message: i % 7 === 0 ? 'needle' : 'hay' }), eventAt(T0 + i * 10 - 25)]);
  }
  let pages = 0;
  const search = searchOver(log, { maxScanBytes: 500 });
  const items = await allItems(search, { ...ALL, text: 'needle' }, ({ items: found }) => {
    pages++;
    assert.ok(found.length <= 1);
  });
  assert.equal(items.length, 3);
  assert.ok(pages > 3);
});

const WORDS = ['timeout', 'Time\tout', 'größe', 'GRÖSSE', 'K', 'say "x"', 'a\\b', 'path/to', 'ß', '\u212a', '.*', ''] as const;

function randomEvent(prng: Prng): FixtureEvent {
  const word = (): string => WORDS[prng.below(WORDS.length)] as string;
  const levels = ['INFO', 'error', 'Err', '17', 'FATAL', 'warning', 'debug', '24'];
  return eventAt(T0 + prng.below(50), {
    service: ['cart', 'a/b', 'caf\u00e9', 'pay'][prng.below(4)] as string,
    level: levels[prng.below(levels.length)] as string,
    message: `${word()} ${word()}`,
    metadata: { endpoint: `/${word()}`, ...(prng.below(3) === 0 && { environment: 'prod' }), level: word() },
  });
}

function randomQuery(prng: Prng): EventQuery {
  const maybe = <T>(values: readonly T[]): T | undefined => (prng.below(2) === 0 ? undefined : values[prng.below(values.length)]);
  const text = maybe([...WORDS, 'TIME', 'k', 'SAY "X', 'ut g', 'O/T', 't']);
  const service = maybe(['cart', 'b', 'a/b', 'prod//a/b', 'prod//cart', 'caf\u00e9', '//a/b']);
  const endpoint = maybe(['/timeout', '/path/to', '/', '/a\\b']);
  const levels = maybe([[4], [5], [3, 4], [1, 2]]) ?? [];
  return {
    levels,
    limit: 1 + prng.below(40),
    ...(text !== undefined && { text }),
    ...(service !== undefined && { service }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

/** ASCII letters in either case; other letters as their simple case folding has it. */
function holds(message: string, text: string): boolean {
  const fold = (value: string): string => value.replaceAll(/[A-ZÖ]/g, (c) => c.toLowerCase());
  return fold(message).includes(fold(text));
}

/** Escapes some characters as JSON allows any to be. */
function escapeSome(prng: Prng, line: string): string {
  if (prng.below(2) === 0) return line;
  return line.replaceAll(/(?<=[a-z])[a-zA-Z](?=[a-z"])/g, (c) => {
    return prng.below(4) === 0 ? `\\u00${c.codePointAt(0)?.toString(16)}` : c;
  });
}

test('any query over any spelling of lines finds what a plain filter finds (seeded)', async () => {
  const prng = createPrng(99);
  const log = new MemoryEventSource();
  const events: FixtureEvent[] = [];
  for (let record = 0; record < 30; record++) {
    const added = Array.from({ length: 8 }, () => randomEvent(prng));
    const lines = added.map((event) => `${escapeSome(prng, JSON.stringify(event))}\n`).join('');
    log.replace(log.append(added), { read: () => Buffer.from(lines) });
    events.push(...added);
  }
  const ranked = events.map((event, place) => ({ event, place, row: rowOf(event) }));
  ranked.sort((a, b) => b.row.timestamp - a.row.timestamp || b.place - a.place);
  const search = searchOver(log);
  for (let round = 0; round < 120; round++) {
    const query = randomQuery(prng);
    const { levels, endpoint, service, text = '' } = query;
    const expected = ranked.filter(
      ({ event, row }) =>
        (levels.length === 0 || levels.includes(row.level)) &&
        (endpoint === undefined || row.endpoint === endpoint) &&
        (service === undefined || entityMatches(row.entity, service)) &&
        holds(event.message, text),
    );
    const found = await allItems(search, query);
    assert.deepEqual(
      messages(found),
      expected.map(({ event }) => event.message),
      JSON.stringify(query),
    );
  }
});

test('the block cache keeps to its bytes and drops the least recently read', () => {
  const log = new MemoryEventSource();
  for (let i = 0; i < 4; i++) log.append([eventAt(T0 + i)]);
  const [a, b, c] = log.blocks(4);
  assert.ok(a && b && c);
  const bytes = a.read().length;
  log.reads.length = 0;
  const cache = new BlockCache(2 * bytes);
  for (const block of [a, b, a, c, a, b]) cache.read(block);
  assert.deepEqual(log.reads, [0, 1, 2, 1]);
  assert.equal(cache.bytes, 2 * bytes);
});
