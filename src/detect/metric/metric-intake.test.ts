import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import type { Aggregation } from '../metric-detector.ts';
import { MetricIntake } from './metric-intake.ts';

type Point = [head: number, timeMs: number, value: number, startMs?: number];

const key = (name: string, kind: SeriesKey['kind'], labels: Record<string, string> = {}, service = 'shop'): SeriesKey => ({
  name,
  kind,
  unit: '1',
  service,
  environment: '',
  namespace: '',
  labels,
});

function batchOf(heads: SeriesKey[], points: Point[]): MetricBatch {
  return {
    count: points.length,
    heads,
    series: Uint32Array.from(points, ([head]) => head),
    timestamp: Float64Array.from(points, ([, timeMs]) => timeMs),
    value: Float64Array.from(points, ([, , value]) => value),
    start: Float64Array.from(points, ([, , , startMs]) => startMs ?? NaN),
  };
}

function recordingIntake(refuse: (name: string) => boolean = () => false) {
  const added: [string, string, number, number, Aggregation][] = [];
  const intake = new MetricIntake({
    targetOf: (entity, name) =>
      refuse(name) ? null : { add: (timeMs, value, aggregation) => added.push([entity, name, timeMs, value, aggregation]) },
  });
  return { intake, added };
}

test('readings of all label sets are averaged, rates of totals and deltas summed', () => {
  const { intake, added } = recordingIntake();
  const heads = [key('queue', 'gauge', { pod: 'a' }), key('queue', 'gauge', { pod: 'b' }), key('jobs', 'delta')];
  intake.observe(
    batchOf(heads, [
      [0, 1000, 5],
      [1, 1000, 7],
      [2, 1000, 3],
    ]),
    Infinity,
  );
  assert.deepEqual(added, [
    ['shop', 'queue', 1000, 5, 'mean'],
    ['shop', 'queue', 1000, 7, 'mean'],
    ['shop', 'jobs', 1000, 3, 'sum'],
  ]);
});

test('a total is its increase per second; after a reset it counts whole; the first says nothing', () => {
  const { intake, added } = recordingIntake();
  const points: Point[] = [
    [0, 10_000, 100],
    [0, 20_000, 150],
    [0, 30_000, 40],
    [0, 40_000, 60, 35_000],
    [0, 50_000, 70, 45_000],
  ];
  intake.observe(batchOf([key('requests', 'cumulative')], points), Infinity);
  assert.deepEqual(
    added.map(([, , , value]) => value),
    [NaN, 5, 4, 2, 7],
  );
});

test('totals go on across new heads and a restored state, not across more than an hour', () => {
  const { intake, added } = recordingIntake();
  const total = key('requests', 'cumulative', { a: '1', b: '2' });
  intake.observe(batchOf([total], [[0, 10_000, 100]]), Infinity);
  intake.observe(batchOf([key('x', 'gauge'), { ...total, labels: { b: '2', a: '1' } }], [[1, 20_000, 200]]), Infinity);
  const next = recordingIntake();
  next.intake.restore(structuredClone(intake.totals()));
  next.intake.observe(
    batchOf(
      [total],
      [
        [0, 30_000, 230],
        [0, 30_000 + 3_600_001, 900],
      ],
    ),
    Infinity,
  );
  assert.deepEqual(
    [...added, ...next.added].map(([, , , value]) => value),
    [NaN, 10, 3, NaN],
  );
});

test('buckets, points from the future and series beyond the bound are left out', () => {
  const { intake, added } = recordingIntake((name) => name === 'refused');
  const heads = [key('latency_bucket', 'cumulative', { le: '0.1' }), key('queue', 'gauge'), key('refused', 'gauge')];
  intake.observe(
    batchOf(heads, [
      [0, 1000, 1],
      [1, 1000, 2],
      [1, 9000, 3],
      [2, 1000, 4],
    ]),
    5000,
  );
  assert.deepEqual(added, [['shop', 'queue', 1000, 2, 'mean']]);
});

test('a forgotten entity is looked up anew when its series come again', () => {
  let lookups = 0;
  const intake = new MetricIntake({ targetOf: () => ({ add: () => void lookups++ }) });
  const heads = [key('queue', 'gauge')];
  intake.observe(batchOf(heads, [[0, 1000, 1]]), Infinity);
  assert.equal(intake.totals().size, 1);
  intake.forget('shop');
  assert.equal(intake.totals().size, 0);
  intake.observe(batchOf(heads, [[0, 2000, 1]]), Infinity);
  assert.deepEqual([intake.totals().size, lookups], [1, 2]);
});
