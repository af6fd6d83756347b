import assert from 'node:assert/strict';
import { eventAt } from './event-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { T0 } from './store-fixture.ts';

const MINUTE_MS = 60_000;

function span(ms: number, kind: 'span' | 'inner_span', metadata: Record<string, unknown> = {}) {
  return eventAt(ms, { kind, metadata: { latency_ms: 20, ...metadata } });
}

function log(ms: number, level = 'INFO') {
  return eventAt(ms, { kind: 'log', level });
}

export const kindsContract: ContractTests = {
  'requests and log records of a service are never summed up together': async (fixture) => {
    fixture.feed([span(T0, 'span'), log(T0, 'ERROR'), log(T0 + 1, 'ERROR'), span(T0 + 2, 'inner_span')]);
    await fixture.commit();
    assert.deepEqual(await valuesAt(T0), { event_count: 1, error_rate: 0, avg_latency: 20 });

    async function valuesAt(fromMs: number): Promise<Record<string, number | null>> {
      const names = ['event_count', 'error_rate', 'avg_latency'];
      const query = { fromMs, toMs: fromMs + MINUTE_MS, names, stepMs: MINUTE_MS };
      const { series } = await fixture.store.metrics(query);
      return Object.fromEntries(series.map(({ name, points }) => [name, points[0]?.[1] ?? null]));
    }
  },

  'a service that sends log records only is counted by them, at every step': async (fixture) => {
    fixture.feed([log(T0), log(T0 + 30_000, 'ERROR'), log(T0 + 40_000), log(T0 + 50_000)]);
    await fixture.commit();
    for (const stepMs of [MINUTE_MS, 60 * MINUTE_MS]) {
      const { series } = await fixture.store.metrics({ fromMs: T0, toMs: T0 + stepMs, names: ['error_rate'], stepMs });
      assert.equal(series[0]?.points[0]?.[1], 0.25);
    }
    const [service] = await fixture.store.services({ fromMs: T0, toMs: T0 + MINUTE_MS });
    assert.deepEqual([service?.eventCount, service?.errorCount], [4, 1]);
  },

  'an event that came as a span or log record says so, a native one does not': async (fixture) => {
    fixture.feed([eventAt(T0), log(T0 + 1), span(T0 + 2, 'span'), span(T0 + 3, 'inner_span')]);
    await fixture.commit();
    const { items } = await fixture.store.events({ levels: [], limit: 10 });
    assert.deepEqual(
      items.map(({ kind }) => kind),
      ['inner_span', 'span', 'log', undefined],
    );
  },

  'a sampled span counts for as many as it stands for': async (fixture) => {
    fixture.feed([span(T0, 'span', { adjusted_count: 8 }), span(T0 + 1, 'span', { latency_ms: 110 })]);
    await fixture.commit();
    const names = ['event_count', 'avg_latency', 'p95_latency'];
    const { series } = await fixture.store.metrics({ fromMs: T0, toMs: T0 + MINUTE_MS, names, stepMs: MINUTE_MS });
    assert.equal(series[0]?.points[0]?.[1], 9);
    assert.equal(series[1]?.points[0]?.[1], 30);
    assert.ok(Math.abs((series[2]?.points[0]?.[1] ?? 0) - 110) < 2);
  },
};
