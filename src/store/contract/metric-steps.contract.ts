import assert from 'node:assert/strict';
import type { MetricContractTests } from './metric-fixture.ts';
import { T0 } from './metric-fixture.ts';

const SECOND = 1000;

export const metricStepsContract: MetricContractTests = {
  'a gauge is the mean of each bucket, and null where there is none': async (fixture) => {
    fixture.feed({
      series: { name: 'g', unit: 'By' },
      points: [
        [T0, 1],
        [T0 + 9999, 2],
        [T0 + 20_000, NaN],
        [T0 + 30_000, -4],
      ],
    });
    await fixture.commit();
    assert.deepEqual(await fixture.values('g', T0, T0 + 40_000), [1.5, null, null, -4]);
    const [series] = await fixture.store.points({ fromMs: T0, toMs: T0 + 10_000, step: 10_000 });
    assert.deepEqual([series?.unit, series?.points], ['By', [[T0, 1.5]]]);
  },

  'a total is its increase per second, which belongs to the bucket of the later point': async (fixture) => {
    const points = [0, 5, 10, 15, 25].map((s): [number, number, number] => [T0 + s * SECOND, 100 + s * 2, T0 - 999_999]);
    fixture.feed({ series: { name: 'c', kind: 'cumulative', unit: '{request}' }, points });
    await fixture.commit();
    assert.deepEqual(await fixture.values('c', T0, T0 + 30_000), [1, 2, 2]);
    assert.equal((await fixture.store.points({ fromMs: T0, toMs: T0 + 30_000, step: 10_000 }))[0]?.unit, '{request}/s');
  },

  'the point before the range is what its first point is compared with, so ranges side by side add up': async (fixture) => {
    const points = Array.from({ length: 60 }, (_, i): [number, number] => [T0 + i * 7 * SECOND, i * i]);
    fixture.feed({ series: { name: 'c', kind: 'cumulative' }, points });
    await fixture.commit();
    const whole = await fixture.values('c', T0, T0 + 420_000);
    const parts = await Promise.all([0, 1, 2].map((i) => fixture.values('c', T0 + i * 140_000, T0 + (i + 1) * 140_000)));
    assert.deepEqual(parts.flat(), whole);
    const increase = (whole ?? []).reduce<number>((sum, value) => sum + (value ?? 0) * 10, 0);
    assert.equal(Math.round(increase), 59 * 59);
  },

  'a total that falls began anew and counts whole, and so does one whose start is later': async (fixture) => {
    fixture.feed(
      {
        series: { name: 'falls', kind: 'cumulative' },
        points: [
          [T0, 50],
          [T0 + 10_000, 60],
          [T0 + 20_000, 20],
        ],
      },
      {
        series: { name: 'starts', kind: 'cumulative' },
        points: [
          [T0, 50, T0],
          [T0 + 10_000, 60, T0],
          [T0 + 20_000, 70, T0 + 15_000],
        ],
      },
      {
        series: { name: 'same', kind: 'cumulative' },
        points: [
          [T0, 50],
          [T0 + 10_000, 50],
          [T0 + 20_000, 50],
        ],
      },
    );
    await fixture.commit();
    assert.deepEqual(await fixture.values('falls', T0, T0 + 30_000), [null, 1, 2]);
    assert.deepEqual(await fixture.values('starts', T0, T0 + 30_000), [5, 1, 7]);
    assert.deepEqual(await fixture.values('same', T0, T0 + 30_000), [null, 0, 0]);
  },

  'the first point of a total counts from its start when that is in the range, else not at all': async (fixture) => {
    const late = T0 + 10 * 60_000;
    fixture.feed(
      { series: { name: 'inside', kind: 'cumulative' }, points: [[late + 15_000, 30, late + 5000]] },
      {
        series: { name: 'before', kind: 'cumulative' },
        points: [
          [late + 15_000, 30, late - 1],
          [late + 25_000, 40, late - 1],
        ],
      },
      {
        series: { name: 'unknown', kind: 'cumulative' },
        points: [
          [late + 15_000, 30],
          [late + 25_000, 40],
        ],
      },
    );
    await fixture.commit();
    assert.deepEqual(await fixture.values('inside', late, late + 30_000), [null, 3, null]);
    assert.deepEqual(await fixture.values('before', late, late + 30_000), [null, null, 1]);
    assert.deepEqual(await fixture.values('unknown', late, late + 30_000), [null, null, 1]);
  },

  'a delta is its sum per second': async (fixture) => {
    fixture.feed({
      series: { name: 'd', kind: 'delta', unit: '' },
      points: [
        [T0, 5],
        [T0 + 1, 15],
        [T0 + 20_000, 10],
      ],
    });
    await fixture.commit();
    assert.deepEqual(await fixture.values('d', T0, T0 + 30_000), [2, null, 1]);
    assert.equal((await fixture.store.points({ fromMs: T0, toMs: T0 + 30_000, step: 10_000 }))[0]?.unit, '1/s');
  },

  'series without a point in the range are left out': async (fixture) => {
    fixture.feed({
      series: { name: 'a' },
      points: [
        [T0 - 1000, 1],
        [T0 + 10_000, 2],
      ],
    });
    await fixture.commit();
    assert.equal(await fixture.values('a', T0, T0 + 10_000), undefined);
    assert.deepEqual(await fixture.raw(T0, T0 + 10_000), {});
  },

  'a query that would answer too many points is refused and names the step': async (fixture) => {
    fixture.feed({ series: { name: 'a' }, points: [[T0, 1]] }, { series: { name: 'b' }, points: [[T0, 1]] });
    await fixture.commit();
    const query = { fromMs: T0, toMs: T0 + 10_000 * 600_000, step: 10_000 };
    await assert.rejects(fixture.store.points(query), { code: 'invalid_argument', details: { field: 'step' } });
    assert.equal((await fixture.store.points({ ...query, names: ['a'] })).length, 1);
  },
};
