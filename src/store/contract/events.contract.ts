import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import type { EventQuery } from '../store.ts';
import type { FixtureEvent } from './event-fixture.ts';
import { eventAt } from './event-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { T0 } from './store-fixture.ts';

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
    const items = await fixture.allPages({}, () => fixture.feed([label(eventAt(T0 + 3000))]));
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
