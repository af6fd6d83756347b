import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import type { MetricContractTests } from './metric-fixture.ts';
import { randomRecord, T0 } from './metric-fixture.ts';

export const pointsContract: MetricContractTests = {
  'a reader sees what was committed and nothing else': async (fixture) => {
    fixture.feed({ series: { name: 'a' }, points: [[T0, 1.5]] });
    assert.deepEqual(await fixture.raw(), {});
    await fixture.commit();
    assert.deepEqual(await fixture.raw(), { a: [[T0, 1.5]] });
    assert.equal(fixture.writer.offset(), 1);
  },

  'after a restart the writer goes on from the committed offset and ignores what is below it': async (fixture) => {
    fixture.feed({ series: { name: 'a' }, points: [[T0, 1]] });
    await fixture.commit();
    fixture.feed({ series: { name: 'a' }, points: [[T0 + 1, 2]] });
    await fixture.restart();
    assert.equal(fixture.writer.offset(), 1);
    assert.deepEqual(await fixture.raw(), { a: [[T0, 1]] });
    await fixture.commit();
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
  },

  'a commit below the committed offset changes nothing': async (fixture) => {
    fixture.feed({ series: { name: 'a' }, points: [[T0, 1]] });
    fixture.feed({ series: { name: 'a' }, points: [[T0 + 1, 2]] });
    await fixture.commit();
    await fixture.writer.commit(1);
    assert.equal(fixture.writer.offset(), 2);
    assert.deepEqual(await fixture.raw(), fixture.expectedRaw());
  },

  'points come back as they were sent, late ones and special numbers too, each time once': async (fixture) => {
    const values = [0, -0, 0.1, 1e300, 5e-324, NaN, Infinity, -Infinity, 2 ** 53];
    fixture.feed({ series: { name: 'a' }, points: values.map((value, i) => [T0 + i * 1000 + 0.25, value]) });
    await fixture.commit();
    fixture.feed({
      series: { name: 'a' },
      points: [
        [T0 - 86_400_000, 7],
        [T0 + 0.25, 8],
      ],
    });
    await fixture.commit();
    fixture.feed({
      series: { name: 'far' },
      points: [
        [-1e300, 1],
        [1e300, 2],
      ],
    });
    await fixture.commit();
    const [far] = (await fixture.store.series({ names: ['far'], limit: 1 })).items;
    assert.deepEqual([far?.firstSeen, far?.lastSeen], ['-271821-04-20T00:00:00.000Z', '+275760-09-13T00:00:00.000Z']);
    const { a } = await fixture.raw();
    assert.deepEqual(a?.slice(0, 2), [
      [T0 - 86_400_000, 7],
      [T0 + 0.25, 8],
    ]);
    assert.deepEqual(
      a?.slice(2).map(([, value]) => value),
      values.slice(1).map((value) => (value === 0 ? 0 : value)),
    );
  },

  'whatever the order of points, commits and restarts, every time of every series has the value sent last': async (fixture) => {
    const prng = createPrng(7);
    for (let step = 0; step < 120; step++) {
      fixture.feed(...randomRecord(prng, step));
      if (prng.below(3) === 0) await fixture.commit();
      if (prng.below(20) === 0) await fixture.restart();
    }
    await fixture.commit();
    const expected = fixture.expectedRaw();
    assert.deepEqual(await fixture.raw(), expected);
    await fixture.restart();
    assert.deepEqual(await fixture.raw(), expected);
    for (let i = 0; i < 20; i++) {
      const fromMs = T0 + prng.below(120) * 1000;
      const toMs = fromMs + 1 + prng.below(50_000);
      const inside = Object.entries(expected).map(([name, points]) => [
        name,
        points.filter(([time]) => time >= fromMs && time < toMs),
      ]);
      assert.deepEqual(await fixture.raw(fromMs, toMs), Object.fromEntries(inside.filter(([, points]) => points?.length)));
    }
  },

  'retention removes series and points before a time and leaves the rest': async (fixture) => {
    fixture.feed({ series: { name: 'old' }, points: [[T0 - 100_000, 1]] });
    await fixture.commit();
    fixture.feed({ series: { name: 'kept' }, points: [[T0, 1]] });
    await fixture.writer.retain(T0 - 1);
    for (let i = 0; i < 9; i++) {
      fixture.feed({ series: { name: 'kept' }, points: [[T0 + i, i]] });
      await fixture.commit();
    }
    await fixture.writer.retain(T0 - 1);
    assert.deepEqual(Object.keys(await fixture.raw()), ['kept']);
    assert.deepEqual(
      (await fixture.store.series({ limit: 10 })).items.map(({ name }) => name),
      ['kept'],
    );
    fixture.feed({ series: { name: 'old' }, points: [[T0 + 1, 2]] });
    await fixture.commit();
    assert.deepEqual((await fixture.raw())['old'], [[T0 + 1, 2]]);
    assert.equal((await fixture.raw())['kept']?.length, 9);
  },
};
