import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import type { EventQuery } from '../store.ts';
import { mergedMetadata } from '../../model/event-rules.ts';
import type { EventFields } from '../event-answer.ts';
import { eventAnswer } from '../event-answer.ts';
import type { FixtureEvent } from './event-fixture.ts';
import { eventAt, rowOf } from './event-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { T0 } from './store-fixture.ts';

function fieldsOf(event: FixtureEvent): EventFields {
  return { ...rowOf(event), service: event.service, message: event.message, metadata: mergedMetadata(event) };
}

export const eventsContract: ContractTests = {
  'events come newest first by time, then by log position, over pages that do not shift': async (fixture) => {
    const prng = createPrng(3);
    let serial = 0;
    const label = (event: FixtureEvent): FixtureEvent => ({ ...event, message: `m${serial++}` });
    for (let record = 0; record < 12; record++) {
      fixture.feed(Array.from({ length: 5 }, () => label(eventAt(T0 + prng.below(6) * 1000))));
    }
    await fixture.commit();
    const ranked = fixture.events.map((event, position) => ({ event, position }));
    ranked.sort((a, b) => Date.parse(b.event.timestamp) - Date.parse(a.event.timestamp) || b.position - a.position);
    const items = await fixture.allPages({}, () => {
      fixture.feed([label(eventAt(T0 + 3000))]);
      return fixture.commit();
    });
    assert.deepEqual(
      items.map((item) => (item as FixtureEvent).message),
      ranked.map(({ event }) => event.message),
    );
  },

  'events are filtered by time, service, level, endpoint and text in any case': async (fixture) => {
    fixture.feed([
      eventAt(T0, { message: 'Disk FULL on node', level: 'err', metadata: { endpoint: '/a' } }),
      eventAt(T0 + 1, { message: 'all good', metadata: { endpoint: '/a/b', environment: 'prod' } }),
      eventAt(T0 + 2, { message: 'größe ÜBER limit', level: '21', service: 'pay/ment' }),
      eventAt(T0 + 3, { message: 'say "full" \\ stop', service: 'payment' }),
    ]);
    await fixture.commit();
    const messages = async (query: Partial<EventQuery>): Promise<string[]> =>
      (await fixture.allPages(query)).map((item) => (item as FixtureEvent).message.slice(0, 4));
    assert.deepEqual(await messages({ text: 'full' }), ['say ', 'Disk']);
    assert.deepEqual(await messages({ text: '"FULL" \\' }), ['say ']);
    assert.deepEqual(await messages({ text: 'über' }), ['größ']);
    assert.deepEqual(await messages({ levels: [4] }), ['Disk']);
    assert.deepEqual(await messages({ levels: [4, 5] }), ['größ', 'Disk']);
    assert.deepEqual(await messages({ endpoint: '/a' }), ['Disk']);
    assert.deepEqual(await messages({ service: 'cart' }), ['all ', 'Disk']);
    assert.deepEqual(await messages({ service: 'prod//cart' }), ['all ']);
    assert.deepEqual(await messages({ service: 'pay/ment' }), ['größ']);
    assert.deepEqual(await messages({ fromMs: T0 + 1, toMs: T0 + 3 }), ['größ', 'all ']);
    assert.deepEqual(await messages({ text: 'nowhere' }), []);
  },

  'an event is answered with UTC time to the microsecond, its level by name, and unknown keys in metadata': async (fixture) => {
    const metadata = { latency_ms: 1.5 };
    const timestamp = '2025-10-08T12:00:00.1234567+02:00';
    fixture.feed([
      { timestamp, service: 's', level: 'fatal', message: 'm', metadata, host: 'h1', trace_id: 't1', span_id: 's1' },
    ]);
    await fixture.commit();
    const { items } = await fixture.store.events({ levels: [], limit: 1 });
    assert.deepEqual(JSON.parse(JSON.stringify(items[0])), {
      timestamp: '2025-10-08T10:00:00.123456Z',
      service: 's',
      level: 'CRITICAL',
      message: 'm',
      metadata: { host: 'h1', latency_ms: 1.5 },
      trace_id: 't1',
      span_id: 's1',
    });
  },

  'an event is answered as the rules read its line, however odd it is': async (fixture) => {
    const lines: FixtureEvent[] = [
      eventAt(T0 + 0.001, { message: '', metadata: {} }),
      eventAt(T0 + 0.999, {
        message: 'tab\t "quoted" \\ back / \u2028 \u{1f600}',
        metadata: { 'a b': [1, null, { deep: [true] }], '': 0 },
      }),
      eventAt(T0 + 1, {
        service: 'a/b',
        level: 'trace',
        host: 'outer',
        metadata: { host: 'inner', latency_ms: 0, endpoint: '' },
      }),
      eventAt(T0 + 2, {
        level: '17',
        kind: 'neither',
        trace_id: '',
        span_id: 'ümlaut',
        metadata: { environment: 'e/f', latency_ms: null },
      }),
      eventAt(T0 + 3, {
        kind: 'span',
        parent_span_id: 'p',
        metadata: { 'service.version': '1', endpoint: '/x?y=%20', n: -0.125 },
      }),
      eventAt(T0 + 4, {
        timestamp: '2025-10-08t23:30:00.0040009+13:30',
        level: 'Warning',
        metadata: { namespace: 'n', big: 1e21 },
      }),
    ];
    fixture.feed(lines);
    await fixture.commit();
    const { items } = await fixture.store.events({ levels: [], limit: 10 });
    const expected = lines.map((line) => eventAnswer(fieldsOf(line))).toReversed();
    assert.deepEqual(JSON.parse(JSON.stringify(items)), JSON.parse(JSON.stringify(expected)));
  },

  'a malformed cursor or limit is an invalid argument, and names itself': async (fixture) => {
    const forged = ['', 'x', Buffer.from('[1,2]').toString('base64url'), Buffer.from('[1,0,-1,5,5]').toString('base64url')];
    for (const cursor of forged) {
      await assert.rejects(fixture.store.events({ levels: [], limit: 1, cursor }), {
        code: 'invalid_argument',
        details: { field: 'cursor' },
      });
      await assert.rejects(fixture.store.list('incident', { limit: 1, cursor }), {
        code: 'invalid_argument',
        details: { field: 'cursor' },
      });
    }
    await assert.rejects(fixture.store.events({ levels: [], limit: 0 }), {
      code: 'invalid_argument',
      details: { field: 'limit' },
    });
    await assert.rejects(fixture.store.list('change', { limit: 1001 }), {
      code: 'invalid_argument',
      details: { field: 'limit' },
    });
  },
};
