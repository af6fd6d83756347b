import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Anomaly } from '../model/anomaly.ts';
import type { MetricBatch, SeriesKey } from '../model/metric.ts';
import { exportsOf, heads, STEP_MS, T0 } from './metric-exports.fixture.ts';
import { MetricWatch, type MetricWatchState } from './metric-watch.ts';
import { decodeState, encodeState } from './state-codec.ts';

const OPTIONS = { seed: 1, falseAlarmBudget: 0.05, maxSeries: 100, latenessMs: 2000, idleMs: 86_400_000 };

function feed(watch: MetricWatch, batches: readonly MetricBatch[], from: number): Anomaly[] {
  const found: Anomaly[] = [];
  for (const [i, batch] of batches.entries()) {
    watch.observe(batch, Infinity, from + i + 1);
    found.push(...watch.advance());
  }
  return found;
}

test('a metric that triples becomes one anomaly with its cause first, and ends', () => {
  const found = feed(new MetricWatch(OPTIONS), exportsOf(420), 0);
  assert.equal(new Set(found.map(({ id }) => id)).size, 1);
  const [first] = found as [Anomaly];
  assert.equal(first.service, 'shop');
  assert.equal(first.signal, 'metric');
  assert.equal(first.attribution[0]?.feature, 'cpu');
  assert.equal(first.attribution[0]?.direction, 'up');
  const started = (Date.parse(first.startedAt) - T0) / STEP_MS;
  const detected = (Date.parse(first.detectedAt) - T0) / STEP_MS;
  assert.ok(started >= 299 && started <= 301, `started at tick ${started}`);
  assert.ok(detected > started && detected <= 304, `detected at tick ${detected}`);
  const last = found.at(-1) as Anomaly;
  assert.equal(last.state, 'resolved');
  const resolved = (Date.parse(last.resolvedAt as string) - T0) / STEP_MS;
  assert.ok(resolved >= 338 && resolved <= 350, `resolved at tick ${resolved}`);
});

test('a watch that is restored in the middle of an anomaly goes on as if nothing had happened', () => {
  const batches = exportsOf(420);
  const whole = feed(new MetricWatch(OPTIONS), batches, 0);
  for (const cut of [3, 100, 310]) {
    const first = new MetricWatch(OPTIONS);
    const before = feed(first, batches.slice(0, cut), 0);
    const second = new MetricWatch(OPTIONS);
    second.restore(decodeState(encodeState(first.state())) as MetricWatchState);
    assert.equal(second.nextOffset, cut);
    assert.deepEqual([...before, ...feed(second, batches.slice(cut), cut)], whole, `cut at ${cut}`);
  }
});

test('points from a clock that is ahead neither count nor close ticks', () => {
  const watch = new MetricWatch(OPTIONS);
  const [batch] = exportsOf(1) as [MetricBatch];
  watch.observe(batch, T0 - 1, 1);
  assert.equal(watch.state().latestMs, -Infinity);
  assert.deepEqual(watch.advance(), []);
});

test('no more series are watched than allowed, and an idle entity makes room', () => {
  const watch = new MetricWatch({ ...OPTIONS, maxSeries: 2, idleMs: 3_600_000 });
  feed(watch, exportsOf(10), 0);
  assert.equal(watch.seriesCount, 2);
  const other = { ...heads[0], service: 'cart' } as SeriesKey;
  const late = T0 + 10_000_000;
  const batch = {
    count: 1,
    heads: [other],
    series: Uint32Array.of(0),
    timestamp: Float64Array.of(late),
    value: Float64Array.of(1),
    start: Float64Array.of(NaN),
  };
  feed(watch, [batch], 10);
  assert.equal(watch.seriesCount, 0);
  feed(watch, [{ ...batch, heads: [{ ...other }], timestamp: Float64Array.of(late + 1000) }], 11);
  assert.equal(watch.seriesCount, 1);
});
