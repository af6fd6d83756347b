import assert from 'node:assert/strict';
import type { SeriesFilter } from '../metric-store.ts';
import type { MetricContractTests, MetricFixture } from './metric-fixture.ts';
import { T0 } from './metric-fixture.ts';

async function namesOf(fixture: MetricFixture, filter: SeriesFilter): Promise<string[]> {
  const { items } = await fixture.store.series({ ...filter, limit: 100 });
  const points = await fixture.store.points({ ...filter, fromMs: 0, toMs: T0 * 2, step: 'raw' });
  assert.deepEqual(
    items.map(({ name }) => name),
    points.map(({ key }) => key.name),
  );
  return items.map(({ name }) => name);
}

export const seriesContract: MetricContractTests = {
  'series are listed by name with everything that identifies them and the times of their points': async (fixture) => {
    const key = {
      kind: 'cumulative',
      unit: 's',
      service: 'pay',
      environment: 'prod',
      namespace: 'shop',
      labels: { b: '1', a: '' },
    } as const;
    fixture.feed({ series: { ...key, name: 'b' }, points: [[T0 + 5000, 1]] });
    await fixture.commit();
    fixture.feed(
      { series: { ...key, name: 'a' }, points: [[T0, 1]] },
      {
        series: { ...key, name: 'b' },
        points: [
          [T0 - 1000, 1],
          [T0 + 9000, 1],
        ],
      },
    );
    await fixture.commit();
    const { items, nextCursor } = await fixture.store.series({ limit: 10 });
    assert.equal(nextCursor, null);
    assert.deepEqual(items, [
      { ...key, name: 'a', firstSeen: '2025-10-08T10:00:00.000Z', lastSeen: '2025-10-08T10:00:00.000Z' },
      { ...key, name: 'b', firstSeen: '2025-10-08T09:59:59.000Z', lastSeen: '2025-10-08T10:00:09.000Z' },
    ]);
  },

  'series that differ in anything but the order of labels are different': async (fixture) => {
    const points: [number, number][] = [[T0, 1]];
    const labels = { x: '1', y: '2' };
    const variants = [
      {},
      { labels: { y: '2', x: '1' } },
      { kind: 'delta' as const },
      { unit: 's' },
      { service: 'b' },
      { environment: 'e' },
    ];
    for (const variant of [...variants, { namespace: 'n' }, { labels: { x: '1' } }, { labels: { x: '1', y: '' } }]) {
      fixture.feed({ series: { name: 'a', labels, ...variant }, points });
    }
    await fixture.commit();
    assert.equal((await fixture.store.series({ limit: 100 })).items.length, 8);
  },

  'series are found by name, by service or entity, and by labels': async (fixture) => {
    const points: [number, number][] = [[T0, 1]];
    fixture.feed(
      { series: { name: 'a', service: 'pay', environment: 'prod', namespace: 'shop', labels: { host: 'x' } }, points },
      { series: { name: 'b', service: 'pay', environment: '', namespace: '', labels: { host: 'y' } }, points },
      { series: { name: 'c', service: 'cart', environment: 'prod', namespace: '', labels: {} }, points },
    );
    await fixture.commit();
    assert.deepEqual(await namesOf(fixture, {}), ['a', 'b', 'c']);
    assert.deepEqual(await namesOf(fixture, { names: ['c', 'a', 'x'] }), ['a', 'c']);
    assert.deepEqual(await namesOf(fixture, { service: 'pay' }), ['a', 'b']);
    assert.deepEqual(await namesOf(fixture, { service: 'prod/shop/pay' }), ['a']);
    assert.deepEqual(await namesOf(fixture, { service: 'shop/pay' }), []);
    assert.deepEqual(await namesOf(fixture, { labels: { host: 'y' } }), ['b']);
    assert.deepEqual(await namesOf(fixture, { labels: { host: '' } }), ['c']);
    assert.deepEqual(await namesOf(fixture, { labels: { environment: 'prod', host: 'x' } }), ['a']);
    assert.deepEqual(await namesOf(fixture, { labels: { toString: '' }, names: ['a'] }), ['a']);
  },

  'pages of series hold each of them once': async (fixture) => {
    const names = Array.from({ length: 23 }, (_, i) => `m${i % 7}`);
    fixture.feed(
      ...names.map((name, i) => ({ series: { name, labels: { i: String(i) } }, points: [[T0, i] as [number, number]] })),
    );
    await fixture.commit();
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Awaited<ReturnType<typeof fixture.store.series>> = await fixture.store.series({
        limit: 5,
        ...(cursor === '' ? {} : { cursor }),
      });
      found.push(...page.items.map(({ name, labels }) => `${name} ${labels['i']}`));
      cursor = page.nextCursor;
    }
    assert.equal(new Set(found).size, 23);
    assert.deepEqual(
      found.map((text) => text.split(' ')[0]),
      names.toSorted(),
    );
    await assert.rejects(fixture.store.series({ limit: 5, cursor: 'x' }), {
      code: 'invalid_argument',
      details: { field: 'cursor' },
    });
    await assert.rejects(fixture.store.series({ limit: 0 }), { code: 'invalid_argument', details: { field: 'limit' } });
  },
};
