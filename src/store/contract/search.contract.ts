import assert from 'node:assert/strict';
import type { Report } from '../../model/report.ts';
import type { ListQuery } from '../store.ts';
import { incidentOf, reportOf } from './document-fixture.ts';
import type { ContractTests, StoreFixture } from './store-fixture.ts';
import { T0 } from './store-fixture.ts';

async function put(fixture: StoreFixture, incidentId: string, version: number, markdown: string, rest: Partial<Report> = {}) {
  await fixture.store.put('report', { ...reportOf(incidentId, version, T0 + version * 1000), markdown, ...rest });
}

async function found(fixture: StoreFixture, query: Partial<ListQuery>): Promise<string[]> {
  const { items } = await fixture.store.list('report', { limit: 100, ...query });
  return items.map(({ incidentId, version }) => `${incidentId} v${version}`);
}

export const searchContract: ContractTests = {
  'reports are found by all words of a text, by the beginning of each, in any case and order': async (fixture) => {
    await put(fixture, 'i1', 1, '# Checkout is slow\n\nConnection pool of `orders-db` exhausted, 3.4 s.');
    await put(fixture, 'i2', 1, '# Checkout fails\n\nTIMEOUT of the payment_gateway at 10.0.0.17; Größe und Ärger.');
    await put(fixture, 'i3', 1, '');
    assert.deepEqual(await found(fixture, { text: 'checkout' }), ['i2 v1', 'i1 v1']);
    assert.deepEqual(await found(fixture, { text: 'exhausted POOL' }), ['i1 v1']);
    assert.deepEqual(await found(fixture, { text: 'orders-db' }), ['i1 v1']);
    assert.deepEqual(await found(fixture, { text: 'time gateway' }), ['i2 v1']);
    assert.deepEqual(await found(fixture, { text: 'gröss' }), []);
    assert.deepEqual(await found(fixture, { text: 'GRÖß ärger' }), ['i2 v1']);
    assert.deepEqual(await found(fixture, { text: '10.0.0.17' }), ['i2 v1']);
    assert.deepEqual(await found(fixture, { text: 'heckout' }), [], 'a word is not found by its middle');
    assert.deepEqual(await found(fixture, { text: 'checkout rollback' }), []);
  },

  'what looks like the syntax of a search is words like any other, and a text without words is refused': async (fixture) => {
    await put(fixture, 'i1', 1, `# or near "quoted" it's a & b | !c <-> d* (e) NOT`);
    for (const text of ['OR', '"quoted', "it's", 'a & b', 'c:*', 'NOT d', "' | '", 'near(e']) {
      const answer = found(fixture, { text });
      if (/[a-z]/i.test(text)) assert.deepEqual(await answer, ['i1 v1'], text);
      else await assert.rejects(answer, { code: 'invalid_argument', details: { field: 'text' } });
    }
    const words = Array.from({ length: 33 }, (_, i) => `w${i}`).join(' ');
    await assert.rejects(found(fixture, { text: words }), { code: 'invalid_argument' });
    await assert.rejects(found(fixture, { text: ' -- ' }), { code: 'invalid_argument' });
  },

  'only the newest version of a report is found, whatever order the versions came in': async (fixture) => {
    await put(fixture, 'i1', 1, 'cause unknown');
    await put(fixture, 'i1', 2, 'cause deployment');
    assert.deepEqual(await found(fixture, { text: 'cause' }), ['i1 v2']);
    assert.deepEqual(await found(fixture, { text: 'unknown' }), []);
    await put(fixture, 'i2', 2, 'late deployment');
    await put(fixture, 'i2', 1, 'late unknown');
    assert.deepEqual(await found(fixture, { text: 'late' }), ['i2 v2']);
    assert.deepEqual(await found(fixture, { text: 'unknown' }), []);
    await put(fixture, 'i1', 2, 'cause rewritten');
    assert.deepEqual(await found(fixture, { text: 'deployment' }), ['i2 v2']);
    assert.deepEqual(await found(fixture, { text: 'rewritten' }), ['i1 v2']);
    await fixture.restart();
    assert.deepEqual(await found(fixture, { text: 'rewritten' }), ['i1 v2']);
  },

  'text, verdict, service and time narrow a list of reports together, over pages': async (fixture) => {
    await fixture.commit({ incidents: [incidentOf('i1', T0, ['prod//cart']), incidentOf('i2', T0, ['pay'])] });
    await put(fixture, 'i1', 1, 'slow database', { verdict: 'CONFIRMED' });
    await put(fixture, 'i2', 2, 'slow database', { verdict: 'LIKELY' });
    await put(fixture, 'i3', 3, 'slow network', { verdict: 'CONFIRMED' });
    assert.deepEqual(await found(fixture, { text: 'slow', verdict: 'CONFIRMED' }), ['i3 v3', 'i1 v1']);
    assert.deepEqual(await found(fixture, { text: 'slow', service: 'cart' }), ['i1 v1']);
    assert.deepEqual(await found(fixture, { verdict: 'INCONCLUSIVE' }), []);
    assert.deepEqual(await found(fixture, { text: 'database', fromMs: T0 + 2000 }), ['i2 v2']);
    const first = await fixture.store.list('report', { text: 'slow', limit: 2 });
    const second = await fixture.store.list('report', { text: 'slow', limit: 2, cursor: first.nextCursor as string });
    assert.deepEqual(
      [...first.items, ...second.items].map(({ incidentId }) => incidentId),
      ['i3', 'i2', 'i1'],
    );
    assert.equal(second.nextCursor, null);
  },

  'a report can be read in each of its versions': async (fixture) => {
    await put(fixture, 'i1', 1, 'first');
    await put(fixture, 'i1', 2, 'second');
    assert.equal((await fixture.store.get('report', 'i1', 1))?.markdown, 'first');
    assert.equal((await fixture.store.get('report', 'i1', 2))?.markdown, 'second');
    assert.equal((await fixture.store.get('report', 'i1'))?.markdown, 'second');
    assert.equal(await fixture.store.get('report', 'i1', 3), undefined);
  },

  'a report of any length is stored and found by its first words': async (fixture) => {
    const words = Array.from({ length: 60_000 }, (_, i) => `word${i}`).join(' ');
    await put(fixture, 'i1', 1, `${words} ${'x'.repeat(5000)}`);
    assert.deepEqual(await found(fixture, { text: 'word77 word3' }), ['i1 v1']);
  },

  'a report that retention has removed is not found': async (fixture) => {
    await put(fixture, 'i1', 1, 'an old story');
    await put(fixture, 'i2', 3600, 'an old story, continued');
    await fixture.writer.retain(T0 + 60_000);
    assert.deepEqual(await found(fixture, { text: 'story' }), ['i2 v3600']);
  },
};
