import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import { FEATURES } from '../../model/rollup.ts';
import type { Store } from '../store.ts';
import { eventAt, randomEvents } from './event-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { HOUR_MS, T0 } from './store-fixture.ts';

export const metricsContract: ContractTests = {
  'every feature equals the one worked out from the raw events, at every step': async (fixture) => {
    const prng = createPrng(7);
    for (let record = 0; record < 40; record++) {
      fixture.feed(randomEvents(prng, 50, T0, T0 + 3 * HOUR_MS));
      if (record % 9 === 0) await fixture.commit();
    }
    await fixture.commit();
    await fixture.commit();
    await fixture.checkMetrics(T0 + 60_000, T0 + 121_000, 10_000);
    await fixture.checkMetrics(T0, T0 + HOUR_MS, 90_000);
    await fixture.checkMetrics(T0, T0 + 3 * HOUR_MS, 300_000);
    await fixture.checkMetrics(T0, T0 + 3 * HOUR_MS, HOUR_MS);
    await fixture.checkMetrics(T0, T0 + 3 * HOUR_MS, 90 * 60_000);
    await fixture.checkMetrics(T0 - HOUR_MS, T0 + 3 * HOUR_MS, 24 * HOUR_MS);
  },

  'events that come hours late count in their own bucket, also after it was summed up': async (fixture) => {
    fixture.feed([eventAt(T0 + 1000, { metadata: { latency_ms: 10 } })]);
    await fixture.commit();
    fixture.feed([eventAt(T0 + 5 * HOUR_MS)]);
    await fixture.commit();
    await fixture.commit();
    fixture.feed([eventAt(T0 + 2000, { level: 'ERROR', metadata: { latency_ms: 30, endpoint: '/late' } })]);
    await fixture.commit();
    await fixture.checkMetrics(T0, T0 + 6 * HOUR_MS, HOUR_MS);
    await fixture.commit();
    await fixture.checkMetrics(T0, T0 + 6 * HOUR_MS, HOUR_MS);
  },

  'a range is widened to whole buckets since the epoch, unless it is exactly one step': async (fixture) => {
    fixture.feed([eventAt(T0 + 70_000), eventAt(T0 + 130_000)]);
    await fixture.commit();
    const starts = async (fromMs: number, toMs: number, stepMs: number): Promise<number[]> => {
      const { series } = await fixture.store.metrics({ fromMs, toMs, names: ['event_count'], stepMs });
      return (series[0]?.points ?? []).map(([ms]) => ms - T0);
    };
    assert.deepEqual(await starts(T0 + 61_000, T0 + 121_001, 60_000), [60_000, 120_000]);
    assert.deepEqual(await starts(T0 + 70_000, T0 + 370_000, 300_000), [70_000]);
    assert.deepEqual(await starts(T0 + 70_001, T0 + 370_001, 300_000), [0, 300_000]);
  },

  'a bucket without events is zero or null, and a service is asked for by entity or bare name': async (fixture) => {
    const metadata = { environment: 'prod' };
    fixture.feed([eventAt(T0, { metadata }), eventAt(T0 + 1000), eventAt(T0, { service: 'payment' })]);
    await fixture.commit();
    const ask = (service: string): ReturnType<Store['metrics']> =>
      fixture.store.metrics({ fromMs: T0 + 10_000, toMs: T0 + 20_000, service, names: [], stepMs: 10_000 });
    const { series } = await ask('prod//cart');
    assert.deepEqual(
      series.map(({ name, points }) => [name, points[0]?.[1]]),
      FEATURES.map((name) => [
        name,
        ['event_count', 'unique_endpoints'].includes(name) ? 0 : name === 'event_velocity' ? -0.1 : null,
      ]),
    );
    const both = await ask('cart');
    assert.deepEqual([...new Set(both.series.map(({ labels }) => labels.service))], ['cart', 'prod//cart']);
    assert.deepEqual((await ask('nobody')).series, []);
  },

  'a bad step, range or name is an invalid argument that names the field': async (fixture) => {
    fixture.feed([eventAt(T0)]);
    await fixture.commit();
    const query = { fromMs: T0, toMs: T0 + HOUR_MS, names: [] as string[], stepMs: 60_000 };
    const field = async (change: object): Promise<unknown> => {
      const error = await fixture.store.metrics({ ...query, ...change }).then(
        () => null,
        (reason: { code?: string; details?: { field?: string } }) => reason,
      );
      assert.equal(error?.code, 'invalid_argument');
      return error?.details?.field;
    };
    assert.equal(await field({ stepMs: 15_000 }), 'step');
    assert.equal(await field({ stepMs: 0 }), 'step');
    assert.equal(await field({ fromMs: 0, stepMs: 10_000 }), 'step');
    assert.equal(await field({ toMs: T0 }), 'to');
    assert.equal(await field({ names: ['p12_latency'] }), 'name');
  },

  'services are listed by name with first and last seen and counts in the range': async (fixture) => {
    fixture.feed([eventAt(T0 + 5, { level: 'ERROR' }), eventAt(T0 + 90_000), eventAt(T0 - 7000, { service: 'auth' })]);
    await fixture.commit();
    fixture.feed([eventAt(T0 - HOUR_MS)]);
    await fixture.commit();
    assert.deepEqual(await fixture.store.services({ fromMs: T0, toMs: T0 + 60_000 }), [
      {
        service: 'auth',
        firstSeen: '2025-10-08T09:59:53.000Z',
        lastSeen: '2025-10-08T09:59:53.000Z',
        eventCount: 0,
        errorCount: 0,
      },
      {
        service: 'cart',
        firstSeen: '2025-10-08T09:00:00.000Z',
        lastSeen: '2025-10-08T10:01:30.000Z',
        eventCount: 1,
        errorCount: 1,
      },
    ]);
  },

  'one of very many services is read by itself, and all of them together': async (fixture) => {
    const many = Array.from({ length: 1500 }, (_, i) =>
      eventAt(T0 + (i % 7) * 1000, { service: `s${i}`, metadata: { latency_ms: i } }),
    );
    fixture.feed(many);
    await fixture.commit();
    fixture.feed([eventAt(T0 + 3 * HOUR_MS, { service: 's1400' })]);
    await fixture.commit();
    await fixture.commit();
    const query = { fromMs: T0, toMs: T0 + HOUR_MS, names: ['event_count', 'avg_latency'] };
    for (const stepMs of [60_000, HOUR_MS]) {
      const { series } = await fixture.store.metrics({ ...query, service: 's1400', stepMs });
      assert.deepEqual(
        series.map(({ points }) => points[0]?.[1]),
        [1, 1400],
      );
    }
    const { series } = await fixture.store.metrics({ ...query, stepMs: HOUR_MS });
    assert.equal(series.filter(({ name, points }) => name === 'event_count' && points[0]?.[1] === 1).length, 1500);
  },

  'rollups of an entity come ascending with endpoints by name and a histogram of all latencies': async (fixture) => {
    const metadata = { latency_ms: 5, endpoint: '/a' };
    fixture.feed([
      eventAt(T0 + 65_000, { metadata: { endpoint: '/b' } }),
      eventAt(T0, { metadata }),
      eventAt(T0 + 10_000, { metadata }),
    ]);
    await fixture.commit();
    const rollups = await fixture.store.rollups({ service: 'cart', fromMs: T0, toMs: T0 + 120_000, stepMs: 60_000 });
    assert.deepEqual(
      rollups.map(({ startMs, count, latencySum, endpoints }) => [startMs - T0, count, latencySum, [...endpoints]]),
      [
        [0, 2, 10, ['/a']],
        [60_000, 1, 0, ['/b']],
      ],
    );
    assert.equal(
      rollups[0]?.histogram.reduce((sum, count) => sum + count, 0),
      2,
    );
  },
};
