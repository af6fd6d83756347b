import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { AlertMessage, EdgeMessage } from '../model/alert.ts';
import { createEventBatch, growEventBatch, type EventBatch } from '../model/event-batch.ts';
import { bucketValue } from '../model/histogram.ts';
import { createEdgeCollector, type EdgeCollector } from './edge-collector.ts';
import { encodeState } from './state-codec.ts';
import { SHOP, TraceFleet } from './trace-fleet.fixture.ts';
import { START_MS, STEP_MS } from './traffic.fixture.ts';

const MINUTE_MS = 60_000;

interface Collected {
  edges: EdgeMessage[];
  alerts: AlertMessage[];
}

/** Rows of a batch in another order. */
function reordered(batch: EventBatch, seed: number): EventBatch {
  const prng = createPrng(seed);
  const keys = Array.from({ length: batch.count }, () => prng.next());
  const rows = keys.map((_, i) => i).toSorted((a, b) => (keys[a] as number) - (keys[b] as number));
  const mixed = createEventBatch(batch.names, 512);
  while (mixed.timestamp.length < batch.count) growEventBatch(mixed);
  mixed.count = batch.count;
  for (const [to, from] of rows.entries()) {
    for (const column of ['timestamp', 'latency', 'weight', 'kind', 'level', 'entity'] as const)
      mixed[column][to] = batch[column][from] as number;
    for (const column of ['traceHash', 'spanHash', 'parentHash'] as const) {
      mixed[column].set(batch[column].subarray(2 * from, 2 * from + 2), 2 * to);
    }
  }
  return mixed;
}

function play(
  minutes: number,
  {
    faultFrom = Infinity,
    each = (one: EdgeCollector): EdgeCollector => one,
    mix = (batch: EventBatch): EventBatch => batch,
  } = {},
): Collected {
  const fleet = new TraceFleet(SHOP, (service, timeMs) =>
    timeMs < faultFrom ? {} : service === 'stock' ? { extraWayMs: 300 } : service === 'price' ? { failing: 1 } : {},
  );
  let collector = createEdgeCollector(2);
  const all: Collected = { edges: [], alerts: [] };
  for (let stepMs = START_MS; stepMs < START_MS + minutes * MINUTE_MS; stepMs += STEP_MS) {
    collector = each(collector);
    collector.observe(mix(fleet.fill('front', stepMs)));
    const { edges, alerts } = collector.take();
    all.edges.push(...edges);
    all.alerts.push(...alerts);
  }
  collector.advanceTo(START_MS + (minutes + 2) * MINUTE_MS);
  const { edges, alerts } = collector.take();
  return { edges: [...all.edges, ...edges], alerts: [...all.alerts, ...alerts] };
}

const pairOf = ({ caller, callee }: EdgeMessage): string => `${caller}>${callee}`;

test('who calls whom is counted by minute, with what the way takes', () => {
  const { edges } = play(4, { faultFrom: START_MS + 2 * MINUTE_MS });
  const minutes = [...new Set(edges.map(({ minuteMs }) => minuteMs))];
  assert.deepEqual(
    minutes,
    [0, 1, 2, 3].map((minute) => START_MS + minute * MINUTE_MS),
  );
  const first = edges.filter(({ minuteMs }) => minuteMs === START_MS);
  assert.deepEqual(first.map(pairOf), ['cart>price', 'cart>stock', 'front>cart', 'stock>table']);
  for (const { count, errorCount, partition, gapHistogram } of first) {
    assert.deepEqual([count, errorCount, partition], [120, 0, 2]);
    assert.equal(
      gapHistogram.reduce((sum, [, n]) => sum + n, 0),
      count,
    );
    for (const [bucket] of gapHistogram) assert.ok(bucketValue(bucket) < 2, `${bucketValue(bucket)} ms`);
  }
  const last = new Map(edges.filter(({ minuteMs }) => minuteMs === minutes[3]).map((edge) => [pairOf(edge), edge]));
  const slow = last.get('cart>stock')?.gapHistogram ?? [];
  assert.ok(slow.length > 0 && slow.every(([bucket]) => bucketValue(bucket) > 100));
  assert.equal(last.get('cart>price')?.errorCount, last.get('cart>price')?.count);
});

test('how seldom it is asked changes nothing that it counts', () => {
  const whole = play(40);
  const fleet = new TraceFleet(SHOP, () => ({}));
  const collector = createEdgeCollector(2);
  for (let stepMs = START_MS; stepMs < START_MS + 40 * MINUTE_MS; stepMs += STEP_MS)
    collector.observe(fleet.fill('front', stepMs));
  collector.advanceTo(START_MS + 42 * MINUTE_MS);
  const { edges, alerts } = collector.take();
  assert.deepEqual(edges, whole.edges);
  const isTold = ({ type }: AlertMessage): boolean => type === 'edges';
  assert.deepEqual(alerts.filter(isTold), whole.alerts.filter(isTold));
});

test('the order of spans within a batch and restarts change nothing', () => {
  const whole = play(4);
  for (const seed of [1, 2, 3]) assert.deepEqual(play(4, { mix: (batch) => reordered(batch, seed) }), whole);
  const each = (before: EdgeCollector): EdgeCollector => {
    const after = createEdgeCollector(2);
    after.restore(before.snapshot());
    return after;
  };
  assert.deepEqual(play(4, { each }).edges, whole.edges);
});

test('incidents hear of a pair until it is believed, and again after an hour', () => {
  const { alerts } = play(70);
  const told = alerts.filter((alert) => alert.type === 'edges');
  assert.deepEqual(
    told.map(({ atMs, edges }) => [(atMs - START_MS) / MINUTE_MS, edges.length]),
    [
      [2, 4],
      [62, 4],
    ],
  );
});

test('what is told has a later time than the watermarks before it, and watermarks only go on', () => {
  let untilMs = -Infinity;
  for (const alert of play(10).alerts) {
    if (alert.type === 'watermark') {
      assert.ok(alert.watermarkMs > untilMs && alert.of === 'traces');
      untilMs = alert.watermarkMs;
    } else if (alert.type === 'edges') assert.ok(alert.atMs > untilMs);
  }
  assert.ok(untilMs >= START_MS + 10 * MINUTE_MS);
});

test('a span that comes twice counts once, and one from a clock that is ahead ends no minute', () => {
  const once = play(3);
  assert.deepEqual(play(3, { mix: (batch) => twice(batch) }).edges, once.edges);
  const fleet = new TraceFleet(SHOP, () => ({}));
  const collector = createEdgeCollector(0);
  collector.observe(fleet.fill('front', START_MS));
  const batch = fleet.fill('front', START_MS + STEP_MS);
  batch.timestamp[3] = START_MS + 5 * 3_600_000;
  collector.observe(batch);
  const { edges, alerts } = collector.take();
  assert.equal(edges.length, 0);
  const [watermark] = alerts;
  assert.ok(watermark?.type === 'watermark' && watermark.watermarkMs <= START_MS + 2 * STEP_MS);
});

function twice(batch: EventBatch): EventBatch {
  const doubled = createEventBatch(batch.names, 2 * batch.timestamp.length);
  for (const column of [
    'timestamp',
    'latency',
    'weight',
    'kind',
    'level',
    'entity',
    'traceHash',
    'spanHash',
    'parentHash',
  ] as const) {
    const width = column.endsWith('Hash') ? 2 : 1;
    const rows = batch[column].subarray(0, width * batch.count);
    doubled[column].set(rows);
    doubled[column].set(rows, rows.length);
  }
  doubled.count = 2 * batch.count;
  return doubled;
}

test('its state is of one size, whatever comes', () => {
  const collector = createEdgeCollector(0);
  const fleet = new TraceFleet(SHOP, () => ({}));
  const sizes: number[] = [];
  for (let stepMs = START_MS; stepMs < START_MS + 20 * MINUTE_MS; stepMs += STEP_MS) {
    collector.observe(fleet.fill('front', stepMs));
    collector.take();
    sizes.push(collector.snapshot().length);
  }
  assert.ok(Math.max(...sizes) < 2_500_000);
  assert.ok((sizes.at(-1) as number) < 1.05 * (sizes[20] as number));
});

test('bytes that are no state are refused', () => {
  assert.throws(() => createEdgeCollector(0).restore(Uint8Array.of(5)), { code: 'corrupt_data' });
  assert.throws(() => createEdgeCollector(0).restore(encodeState({ version: 7 })), { code: 'corrupt_data' });
});
